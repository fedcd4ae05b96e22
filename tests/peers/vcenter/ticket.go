package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/vmware/govmomi/vim25/types"
)

const ticketCookie = "vmware_cgi_ticket"

// A ticket lets one request through: the method and the URL that it was asked for, once, and not for long.
type ticket struct {
	method, url string
	until       time.Time
}

const ticketLife = 2 * time.Minute

// tickets are those that have been given and not been used.
type tickets struct {
	mutex sync.Mutex
	given map[string]ticket
}

func newTickets() *tickets { return &tickets{given: map[string]ticket{}} }

func (t *tickets) give(method, requestURI string) string {
	id := rand.Text()
	t.mutex.Lock()
	defer t.mutex.Unlock()
	t.given[id] = ticket{method: method, url: requestURI, until: time.Now().Add(ticketLife)}
	return id
}

func (t *tickets) redeem(id string, r *http.Request) error {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	one, ok := t.given[id]
	delete(t.given, id)
	switch {
	case !ok:
		return errors.New("the ticket is not known, or has been used")
	case time.Now().After(one.until):
		return errors.New("the ticket has expired")
	case one.method != "" && one.method != r.Method:
		return errors.New("the ticket is for another method")
	case one.url != r.URL.RequestURI():
		return errors.New("the ticket is for another URL")
	}
	return nil
}

func (t *tickets) forget() {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	clear(t.given)
}

// acquireTicket answers AcquireGenericServiceTicket: for a request to a host that vCenter knows, of somebody who may read its datastores.
func (g *gate) acquireTicket(w http.ResponseWriter, r *http.Request, body []byte) {
	if !g.alive(cookieOf(r)) {
		soapFault(w, "NotAuthenticated", "The session is not authenticated.", "")
		return
	}
	if !g.mayReadFiles() {
		soapFault(w, "NoPermission", "Permission to perform this operation was denied.",
			"<privilegeId>Datastore.FileManagement</privilegeId>")
		return
	}
	ask, err := decodeBody[types.AcquireGenericServiceTicket](body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	spec, ok := ask.Spec.(*types.SessionManagerHttpServiceRequestSpec)
	if !ok {
		soapFault(w, "InvalidArgument", "spec: has to be a SessionManagerHttpServiceRequestSpec", "")
		return
	}
	where, err := url.Parse(spec.Url)
	if err != nil {
		soapFault(w, "InvalidArgument", "spec.url: "+err.Error(), "")
		return
	}
	for _, host := range g.hosts {
		if where.Hostname() != host.made.Address {
			continue
		}
		id := g.tickets.give(strings.ToUpper(strings.TrimPrefix(spec.Method, "http")), where.RequestURI())
		soapReply(w, http.StatusOK, fmt.Sprintf(`<AcquireGenericServiceTicketResponse xmlns="urn:vim25"><returnval><id>%s</id>`+
			`<hostName>%s</hostName><sslThumbprint>%s</sslThumbprint></returnval></AcquireGenericServiceTicketResponse>`,
			id, host.made.Address, host.made.SHA1))
		return
	}
	soapFault(w, "InvalidArgument", "spec.url: no host of this vCenter has the address "+where.Hostname(), "")
}
