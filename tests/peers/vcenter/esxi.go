package main

import (
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	mathrand "math/rand/v2"
	"net"
	"net/http"
	"regexp"
	"sort"
	"strings"
	"sync"
	"time"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"
)

// ESXi says how the hosts answer by themselves. Each listens on port 443 of a loopback address of its own, which is also the address of
// its vmkernel adapter vmk0, with a certificate of its own that vCenter's CA has signed.
type ESXi struct {
	User     string `json:"user"`
	Password string `json:"password"`
	// So many files may be read at once from one host; more are answered with 503. 0: no limit.
	Connections int `json:"connections"`
	// A login with the password is refused, as in lockdown mode; tickets from vCenter are taken all the same.
	Lockdown bool `json:"lockdown"`
}

// madeHost tells a test where an ESXi host is.
type madeHost struct {
	ID      string `json:"id"`
	Name    string `json:"name"`
	Cluster string `json:"cluster"`           // "" stands alone
	Address string `json:"address,omitempty"` // the rest only where the hosts have endpoints
	SHA1    string `json:"sha1,omitempty"`
	SHA256  string `json:"sha256,omitempty"`
}

// esxi is one host's endpoint: its API as far as a login needs it, and its datastores' files.
type esxi struct {
	gate        *gate
	made        madeHost
	certificate tls.Certificate
	server      *http.Server

	mutex    sync.Mutex
	sessions map[string]bool
	busy     int
	view     esxiView
}

// esxiView is what a test may know of a host: what it was asked for, and how many files it served at once at most.
type esxiView struct {
	Logins   int   `json:"logins"`
	Tickets  int   `json:"tickets"`
	Requests int   `json:"requests"`
	Bytes    int64 `json:"bytes"`
	Refused  int   `json:"refused"` // for want of a session, a password or a ticket
	Busy     int   `json:"busy"`    // for too many at once
	Most     int   `json:"most"`
}

const hostDatacenter = "ha-datacenter" // every ESXi host's only one

// openHosts gives each host of the world an endpoint, and lets vCenter know its address and its certificate.
func (g *gate) openHosts(trust *trust) error {
	for i := range g.world.hosts {
		made := &g.world.hosts[i]
		listener, err := listenOnOwnAddress()
		if err != nil {
			return fmt.Errorf("host %s: %w", made.Name, err)
		}
		made.Address = listener.Addr().(*net.TCPAddr).IP.String()
		// As VMware's CA does it, the certificate names the host, not the addresses of its vmkernel adapters.
		certificate, sha1, sha256, err := trust.issue(strings.ToLower(made.Name) + ".esxi.test")
		if err != nil {
			return err
		}
		made.SHA1, made.SHA256 = sha1, sha256
		g.world.setHost(made)
		host := &esxi{gate: g, made: *made, certificate: certificate, sessions: map[string]bool{}}
		g.hosts = append(g.hosts, host)
		host.serve(listener)
	}
	return nil
}

func (h *esxi) serve(listener net.Listener) {
	config := &tls.Config{Certificates: []tls.Certificate{h.certificate}, MinVersion: tls.VersionTLS12}
	h.server = &http.Server{Handler: h, ErrorLog: log.New(io.Discard, "", 0)}
	go h.server.Serve(tls.NewListener(listener, config))
}

// unplugHosts takes the hosts off the network until the fault is lifted.
func (g *gate) unplugHosts(one *fault) {
	for _, host := range g.hosts {
		host.server.Close()
	}
	go func() {
		<-one.lifted
		for _, host := range g.hosts {
			if listener, err := net.Listen("tcp", net.JoinHostPort(host.made.Address, "443")); err == nil {
				host.serve(listener)
			}
		}
	}()
}

// listenOnOwnAddress finds an address of 127/8 whose port 443 nobody has.
func listenOnOwnAddress() (net.Listener, error) {
	var failed error
	for range 50 {
		address := net.IPv4(127, byte(64+mathrand.IntN(64)), byte(mathrand.IntN(256)), byte(2+mathrand.IntN(250)))
		listener, err := net.Listen("tcp", net.JoinHostPort(address.String(), "443"))
		if err == nil {
			return listener, nil
		}
		failed = err
	}
	return nil, failed
}

// setHost shows a host's address and fingerprint in the inventory.
func (w *world) setHost(made *madeHost) {
	ref := types.ManagedObjectReference{Type: "HostSystem", Value: made.ID}
	host := w.model.Map().Get(ref).(*simulator.HostSystem)
	host.Summary.Config.SslThumbprint = made.SHA1
	network := *host.Config.Network
	vnics := append([]types.HostVirtualNic(nil), network.Vnic...)
	ip := *vnics[0].Spec.Ip
	ip.IpAddress = made.Address
	vnics[0].Spec.Ip = &ip
	network.Vnic = vnics
	host.Config.Network = &network
}

func (w *world) listHosts() {
	for _, entity := range w.model.Map().All("HostSystem") {
		host := entity.(*simulator.HostSystem)
		made := madeHost{ID: host.Self.Value, Name: host.Name}
		if cluster, ok := w.model.Map().Get(*host.Parent).(*simulator.ClusterComputeResource); ok {
			made.Cluster = cluster.Name
		}
		w.hosts = append(w.hosts, made)
	}
	sort.Slice(w.hosts, func(i, j int) bool { return w.hosts[i].Name < w.hosts[j].Name })
}

// ---- requests -----------------------------------------------------------------------------------------------------

func (h *esxi) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case strings.HasPrefix(r.URL.Path, "/folder"):
		h.serveFile(w, r)
	case r.Method == http.MethodPost && strings.HasPrefix(r.URL.Path, "/sdk"):
		h.serveSOAP(w, r)
	default:
		http.NotFound(w, r)
	}
}

var loginPassword = regexp.MustCompile(`<(?:\w+:)?password[^>]*>([^<]*)<`)

func (h *esxi) serveSOAP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, bodyLimit))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	method := ""
	if found := methodName.FindSubmatch(body); found != nil {
		method = string(found[1])
	}
	if h.gate.faults.hit(w, r, "host", method) {
		return
	}
	switch method {
	case "RetrieveServiceContent":
		soapReply(w, http.StatusOK, fmt.Sprintf(`<RetrieveServiceContentResponse xmlns="urn:vim25"><returnval>`+
			`<rootFolder type="Folder">ha-folder-root</rootFolder><propertyCollector type="PropertyCollector">ha-property-collector`+
			`</propertyCollector><viewManager type="ViewManager">ViewManager</viewManager><about><name>VMware ESXi</name>`+
			`<fullName>VMware ESXi</fullName><vendor>VMware, Inc.</vendor><version>8.0.2</version><build>1</build>`+
			`<osType>vmnix-x86</osType><productLineId>embeddedEsx</productLineId><apiType>HostAgent</apiType>`+
			`<apiVersion>%s</apiVersion><licenseProductName>VMware ESX Server</licenseProductName></about>`+
			`<sessionManager type="SessionManager">ha-sessionmgr</sessionManager></returnval></RetrieveServiceContentResponse>`,
			h.gate.world.config.APIVersion))
	case "Login":
		h.login(w, body)
	case "Logout":
		h.mutex.Lock()
		delete(h.sessions, cookieOf(r))
		h.mutex.Unlock()
		soapReply(w, http.StatusOK, `<LogoutResponse xmlns="urn:vim25"/>`)
	default:
		soapFault(w, "NotSupported", "this host only knows logins and files", "")
	}
}

func (h *esxi) login(w http.ResponseWriter, body []byte) {
	config := h.gate.world.config.ESXi
	user, password := "", ""
	if found := loginUser.FindSubmatch(body); found != nil {
		user = unescape(string(found[1]))
	}
	if found := loginPassword.FindSubmatch(body); found != nil {
		password = unescape(string(found[1]))
	}
	h.count(func(view *esxiView) { view.Logins++ })
	if config.Lockdown || user != config.User || password != config.Password {
		soapFault(w, "InvalidLogin", "Cannot complete login due to an incorrect user name or password.", "")
		return
	}
	key := rand.Text()
	h.mutex.Lock()
	h.sessions[key] = true
	h.mutex.Unlock()
	http.SetCookie(w, &http.Cookie{Name: soap.SessionCookieName, Value: key, Path: "/", Secure: true, HttpOnly: true})
	soapReply(w, http.StatusOK, fmt.Sprintf(`<LoginResponse xmlns="urn:vim25"><returnval><key>%s</key><userName>%s</userName>`+
		`<fullName>Administrator</fullName><loginTime>%s</loginTime><lastActiveTime>%[3]s</lastActiveTime><locale>en</locale>`+
		`<messageLocale>en</messageLocale></returnval></LoginResponse>`, key, escape(user), time.Now().UTC().Format(time.RFC3339)))
}

// admit: a session of this host, its password, or a ticket that vCenter has given for this very request.
func (h *esxi) admit(r *http.Request) error {
	config := h.gate.world.config.ESXi
	h.mutex.Lock()
	known := h.sessions[cookieOf(r)]
	h.mutex.Unlock()
	if known {
		return nil
	}
	if user, password, ok := r.BasicAuth(); ok {
		h.count(func(view *esxiView) { view.Logins++ })
		if !config.Lockdown && user == config.User && password == config.Password {
			return nil
		}
		return errors.New("wrong user or password")
	}
	if cookie, err := r.Cookie(ticketCookie); err == nil {
		h.count(func(view *esxiView) { view.Tickets++ })
		return h.gate.tickets.redeem(strings.Trim(cookie.Value, `"`), r)
	}
	return errors.New("this needs a session, a password or a ticket")
}

func (h *esxi) serveFile(w http.ResponseWriter, r *http.Request) {
	h.count(func(view *esxiView) { view.Requests++ })
	if err := h.admit(r); err != nil {
		h.count(func(view *esxiView) { view.Refused++ })
		w.Header().Set("WWW-Authenticate", `Basic realm="VMware HTTP server"`)
		http.Error(w, err.Error(), http.StatusUnauthorized)
		return
	}
	if !h.enter() {
		http.Error(w, "too many connections to this host", http.StatusServiceUnavailable)
		return
	}
	defer h.leave()
	query := r.URL.Query()
	if path := query.Get("dcPath"); path != "" && path != hostDatacenter {
		http.NotFound(w, r)
		return
	}
	if query.Get("dsName") == "" { // the list of datastores
		io.WriteString(w, "<html><body>datastores</body></html>")
		return
	}
	h.gate.sendFile(&counted{ResponseWriter: w, host: h}, r, "host")
}

func (h *esxi) enter() bool {
	limit := h.gate.world.config.ESXi.Connections
	h.mutex.Lock()
	defer h.mutex.Unlock()
	if limit > 0 && h.busy >= limit {
		h.view.Busy++
		return false
	}
	h.busy++
	h.view.Most = max(h.view.Most, h.busy)
	return true
}

func (h *esxi) leave() {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	h.busy--
}

func (h *esxi) count(change func(*esxiView)) {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	change(&h.view)
}

// counted adds what a host sends to its account.
type counted struct {
	http.ResponseWriter
	host *esxi
}

func (c *counted) Write(data []byte) (int, error) {
	n, err := c.ResponseWriter.Write(data)
	c.host.count(func(view *esxiView) { view.Bytes += int64(n) })
	return n, err
}

func (g *gate) hostViews() map[string]esxiView {
	views := map[string]esxiView{}
	for _, host := range g.hosts {
		host.count(func(view *esxiView) { views[host.made.Name] = *view })
	}
	return views
}

func (g *gate) forgetHosts() {
	for _, host := range g.hosts {
		host.count(func(view *esxiView) { *view = esxiView{} })
	}
}
