package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"
)

// gate stands before the simulator: it asks for a login where the simulator forgets to, serves the datastores' files, breaks
// what the control endpoint told it to break, and keeps the record that tests read.
type gate struct {
	world  *world
	next   http.Handler
	faults *faults
	record *record

	privileges privileges
	tickets    *tickets
	hosts      []*esxi // before the first request
	snapshots  *snapshots
}

func newGate(w *world) *gate {
	g := &gate{world: w, faults: newFaults(), record: newRecord(), tickets: newTickets()}
	g.privileges.set(w.config.Role)
	g.snapshots = newSnapshots(g)
	return g
}

func (g *gate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case strings.HasPrefix(r.URL.Path, "/folder/"):
		g.serveFile(w, r)
	case strings.HasPrefix(r.URL.Path, "/nfc/") && r.Method == http.MethodGet:
		g.serveLease(w, r)
	case r.Method == http.MethodPost && strings.HasPrefix(r.URL.Path, "/sdk"):
		g.serveSOAP(w, r)
	case strings.HasPrefix(r.URL.Path, "/rest/"): // vAPI has sessions of its own
		g.record.call("REST " + r.Method + " " + path.Base(r.URL.Path))
		if !g.faults.hit(w, r, "rest", r.URL.Path) {
			g.next.ServeHTTP(w, r)
		}
	case strings.HasPrefix(r.URL.Path, "/sdk/"), r.URL.Path == "/about":
		g.next.ServeHTTP(w, r)
	default:
		if g.admit(w, r) {
			g.next.ServeHTTP(w, r)
		}
	}
}

// ---- the vSphere API ----------------------------------------------------------------------------------------------

var methodName = regexp.MustCompile(`<(?:\w+:)?Body[^>]*>\s*<(?:\w+:)?(\w+)`)
var loginUser = regexp.MustCompile(`<(?:\w+:)?userName[^>]*>([^<]*)<`)

const bodyLimit = 8 << 20

func (g *gate) serveSOAP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, bodyLimit))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	method := ""
	if found := methodName.FindSubmatch(body); found != nil {
		method = string(found[1])
	}
	g.record.call(method)
	if g.faults.hit(w, r, "sdk", method) {
		return
	}
	if g.deny(w, method) {
		return
	}
	if method != "Login" && g.faults.take("forget-session", method) {
		soapFault(w, "NotAuthenticated", "The session is not authenticated.", "")
		return
	}
	switch method {
	case "Login":
		g.login(w, r, body)
	case "Logout":
		g.next.ServeHTTP(w, r)
		g.record.closed(cookieOf(r))
	case "CreateFilter":
		g.createFilter(w, r)
	case "AcquireGenericServiceTicket":
		g.acquireTicket(w, r, body)
	case "HasPrivilegeOnEntities":
		g.hasPrivileges(w, r, body)
	case "ShutdownGuest", "PowerOffVM_Task", "PowerOnVM_Task":
		if !g.stall(w, method, body) {
			g.next.ServeHTTP(w, r)
		}
	case "ExportVm", "ExportSnapshot":
		if !g.export(w, method, body) {
			g.next.ServeHTTP(w, r)
		}
	default:
		if !g.snapshots.serve(w, r, method, body) {
			g.next.ServeHTTP(w, r)
		}
	}
}

func (g *gate) login(w http.ResponseWriter, r *http.Request, body []byte) {
	user := ""
	if found := loginUser.FindSubmatch(body); found != nil {
		user = string(found[1])
	}
	if g.faults.take("login-refuse", "") {
		g.record.login(user, "sdk", false)
		soapFault(w, "InvalidLogin", "Cannot complete login due to an incorrect user name or password.", "")
		return
	}
	answer := httptest.NewRecorder()
	g.next.ServeHTTP(answer, r)
	g.record.login(user, "sdk", answer.Code == http.StatusOK)
	for _, cookie := range answer.Result().Cookies() {
		if cookie.Name == soap.SessionCookieName && answer.Code == http.StatusOK {
			g.record.opened(cookie.Value, user)
		}
	}
	if g.faults.take("login-torn", "") {
		w.Header().Set("Set-Cookie", answer.Header().Get("Set-Cookie"))
		w.Header().Set("Content-Length", strconv.Itoa(answer.Body.Len()))
		w.WriteHeader(answer.Code)
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	}
	pass(w, answer)
}

var newFilter = regexp.MustCompile(`<returnval type="PropertyFilter">([^<]+)<`)

// createFilter takes from a new filter what the simulator does when its view grows: it forgets all that it has sent. It would send everything
// again for each new object, and never say of one that goes at that moment that it has gone; a vCenter does neither.
func (g *gate) createFilter(w http.ResponseWriter, r *http.Request) {
	answer := httptest.NewRecorder()
	g.next.ServeHTTP(answer, r)
	if found := newFilter.FindSubmatch(answer.Body.Bytes()); found != nil {
		filter := &simulator.PropertyFilter{}
		filter.Self = types.ManagedObjectReference{Type: "PropertyFilter", Value: string(found[1])}
		g.world.model.Map().RemoveHandler(filter)
	}
	pass(w, answer)
}

// pass sends an answer on that was looked at.
func pass(w http.ResponseWriter, answer *httptest.ResponseRecorder) {
	for name, values := range answer.Header() {
		w.Header()[name] = values
	}
	w.WriteHeader(answer.Code)
	w.Write(answer.Body.Bytes())
}

func soapReply(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "text/xml; charset=utf-8")
	w.WriteHeader(status)
	fmt.Fprintf(w, `<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" `+
		`xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><soapenv:Body>%s</soapenv:Body></soapenv:Envelope>`, body)
}

// soapFault answers with a fault of that type; more are its own elements.
func soapFault(w http.ResponseWriter, kind, message, more string) {
	soapReply(w, http.StatusInternalServerError, fmt.Sprintf(`<soapenv:Fault><faultcode>ServerFaultCode</faultcode><faultstring>%s`+
		`</faultstring><detail><%sFault xmlns="urn:vim25" xsi:type="%[2]s">%[3]s</%[2]sFault></detail></soapenv:Fault>`,
		escape(message), kind, more))
}

// decodeBody reads a call that the gate answers itself.
func decodeBody[T any](body []byte) (*T, error) {
	method, err := simulator.UnmarshalBody(types.TypeFunc(), body)
	if err != nil {
		return nil, err
	}
	call, ok := method.Body.(*T)
	if !ok {
		return nil, fmt.Errorf("this is %s, not %T", method.Name, call)
	}
	return call, nil
}

// ---- who may ------------------------------------------------------------------------------------------------------

func cookieOf(r *http.Request) string {
	cookie, err := r.Cookie(soap.SessionCookieName)
	if err != nil {
		return ""
	}
	return strings.Trim(cookie.Value, `"`)
}

// alive asks the simulator whether a session still is.
func (g *gate) alive(key string) bool {
	user := g.record.sessionUser(key)
	if user == "" {
		return false
	}
	if g.world.config.Standalone { // whose SessionManager cannot be asked
		return true
	}
	body := g.manager().SessionIsActive(g.context(), &types.SessionIsActive{SessionID: key, UserName: user})
	answer, ok := body.(interface{ Fault() *soap.Fault })
	if !ok || answer.Fault() != nil {
		return false
	}
	return isActive(body)
}

// admit lets a request pass that has a living session or the right password. As in vCenter a password costs a session:
// it is handed back as a cookie, and whoever drops the cookie leaves a session behind at each request.
func (g *gate) admit(w http.ResponseWriter, r *http.Request) bool {
	if key := cookieOf(r); key != "" && g.alive(key) {
		return true
	}
	user, password, ok := r.BasicAuth()
	if !ok {
		w.Header().Set("WWW-Authenticate", `Basic realm="VMware HTTP server"`)
		http.Error(w, "this needs a session or a password", http.StatusUnauthorized)
		return false
	}
	good := user == g.world.config.User && password == g.world.config.Password && !g.faults.take("login-refuse", "")
	g.record.login(user, "basic", good)
	if !good {
		w.Header().Set("WWW-Authenticate", `Basic realm="VMware HTTP server"`)
		http.Error(w, "wrong user or password", http.StatusUnauthorized)
		return false
	}
	if key := g.newSession(user, password); key != "" {
		http.SetCookie(w, &http.Cookie{Name: soap.SessionCookieName, Value: key, Path: "/", Secure: true, HttpOnly: true})
	}
	return true
}

func (g *gate) newSession(user, password string) string {
	var text bytes.Buffer
	fmt.Fprintf(&text, `<Envelope xmlns="http://schemas.xmlsoap.org/soap/envelope/"><Body><Login xmlns="urn:vim25">`+
		`<_this type="SessionManager">SessionManager</_this><userName>%s</userName><password>%s</password></Login></Body></Envelope>`,
		escape(user), escape(password))
	request := httptest.NewRequest(http.MethodPost, "/sdk", &text)
	answer := httptest.NewRecorder()
	g.next.ServeHTTP(answer, request)
	for _, cookie := range answer.Result().Cookies() {
		if cookie.Name == soap.SessionCookieName {
			g.record.opened(cookie.Value, user)
			return cookie.Value
		}
	}
	return ""
}

// expire ends every session that a client opened.
func (g *gate) expire() {
	for _, key := range g.record.sessions() {
		g.manager().TerminateSession(g.context(), &types.TerminateSession{SessionId: []string{key}})
		g.record.closed(key)
	}
}

func (g *gate) manager() *simulator.SessionManager { return g.world.model.Map().SessionManager() }

func (g *gate) context() *simulator.Context {
	ctx := simulator.NewContext()
	ctx.Map = g.world.model.Map()
	ctx.Context = context.Background()
	return ctx
}

// ---- the datastores' files ----------------------------------------------------------------------------------------

func (g *gate) serveFile(w http.ResponseWriter, r *http.Request) {
	if !g.admit(w, r) {
		return
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		http.Error(w, "this vCenter's files are only read", http.StatusMethodNotAllowed)
		return
	}
	if !g.mayReadFiles() {
		http.Error(w, "the account may not read this datastore", http.StatusForbidden)
		return
	}
	if r.URL.Query().Get("dcPath") != g.world.datacenter {
		http.NotFound(w, r)
		return
	}
	if g.world.isVSAN(r.URL.Query().Get("dsName")) && extentName.MatchString(r.URL.Path) {
		http.NotFound(w, r)
		return
	}
	g.sendFile(w, r, "folder")
}

// extentName is what the files have that a descriptor speaks of.
var extentName = regexp.MustCompile(`-(flat|delta|sesparse)\.vmdk$`)

// sendFile sends what a request of a datastore's file asks for. where is "folder" for vCenter and "host" for an ESXi host.
func (g *gate) sendFile(w http.ResponseWriter, r *http.Request, where string) {
	query := r.URL.Query()
	dir, ok := g.world.folders[query.Get("dsName")]
	if !ok {
		http.NotFound(w, r)
		return
	}
	name := path.Clean("/" + strings.TrimPrefix(r.URL.Path, "/folder/"))
	file, err := os.Open(filepath.Join(dir, name))
	if err != nil {
		http.NotFound(w, r)
		return
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil || info.IsDir() {
		http.NotFound(w, r)
		return
	}
	shown := fmt.Sprintf("[%s] %s", query.Get("dsName"), strings.TrimPrefix(name, "/"))
	if g.snapshots.writable(shown) && g.locked(name) {
		g.record.refused(shown)
		http.Error(w, "the file is locked by a running virtual machine", http.StatusInternalServerError)
		return
	}
	if g.faults.hit(w, r, where, shown) {
		return
	}
	out := &served{ResponseWriter: w, gate: g, path: shown, request: r}
	out.Header().Set("Content-Type", "application/octet-stream")
	http.ServeContent(out, r, "", info.ModTime(), file)
	out.done()
}

func (g *gate) locked(name string) bool {
	if !g.world.config.LockRunning {
		return false
	}
	vm := g.world.vm(strings.SplitN(strings.TrimPrefix(name, "/"), "/", 2)[0])
	if vm == nil {
		return false
	}
	on := false
	g.world.model.Map().WithLock(g.context(), vm, func() {
		on = vm.Runtime.PowerState == types.VirtualMachinePowerStatePoweredOn
	})
	return on
}

// served counts the bytes that leave, where in the file they come from, and applies the faults that strike in mid-body.
type served struct {
	http.ResponseWriter
	gate    *gate
	request *http.Request
	path    string
	start   int64
	offset  int64
	status  int
	cut     int64 // bytes of the body after which the connection breaks; -1: never
}

var contentRange = regexp.MustCompile(`^bytes (\d+)-(\d+)/`)

func (s *served) WriteHeader(status int) {
	s.status, s.cut = status, -1
	if found := contentRange.FindStringSubmatch(s.Header().Get("Content-Range")); found != nil {
		s.start, _ = strconv.ParseInt(found[1], 10, 64)
		s.offset = s.start
	}
	length, _ := strconv.ParseInt(s.Header().Get("Content-Length"), 10, 64)
	if s.request.Method == http.MethodGet && length > 1 && s.gate.faults.take("drop-mid-body", s.path) {
		s.cut = length / 2
	}
	s.ResponseWriter.WriteHeader(status)
}

func (s *served) Write(data []byte) (int, error) {
	if s.status == 0 {
		s.WriteHeader(http.StatusOK)
	}
	written := 0
	for len(data) > 0 {
		piece := data[:min(len(data), 64<<10)]
		if s.cut >= 0 && s.offset-s.start+int64(len(piece)) > s.cut {
			s.gate.record.served(s.path, s.start, s.offset)
			panic(http.ErrAbortHandler) // net/http closes the connection without a word
		}
		if err := s.gate.faults.pass(s.request.Context(), s.path, len(piece)); err != nil {
			return written, err
		}
		n, err := s.ResponseWriter.Write(piece)
		s.offset += int64(n)
		written += n
		if err != nil {
			return written, err
		}
		data = data[n:]
	}
	return written, nil
}

func (s *served) done() { s.gate.record.served(s.path, s.start, s.offset) }

// ---- the guest ----------------------------------------------------------------------------------------------------

// write is what a guest does to its disk: bytes at an offset, a new modification time, a new content id.
func (w *world) write(vm *simulator.VirtualMachine, key int32, offset int64, data []byte) error {
	for _, made := range w.vms {
		if made.ID != vm.Self.Value {
			continue
		}
		for _, disk := range made.Disks {
			if disk.Key == key {
				return w.writeDisk(&disk, offset, data)
			}
		}
	}
	return fmt.Errorf("%s has no disk with key %d", vm.Name, key)
}

func (w *world) writeDisk(disk *madeDisk, offset int64, data []byte) error {
	file, err := os.OpenFile(disk.File, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	if offset < 0 || offset+int64(len(data)) > info.Size() {
		return fmt.Errorf("offset %d with %d bytes lies outside the disk's %d", offset, len(data), info.Size())
	}
	if _, err := file.WriteAt(data, offset); err != nil {
		return err
	}
	now := time.Now()
	if err := os.Chtimes(disk.File, now, now); err != nil {
		return err
	}
	datastore, rest, _ := strings.Cut(strings.TrimPrefix(disk.Path, "["), "] ")
	return changeCID(filepath.Join(w.folders[datastore], rest))
}
