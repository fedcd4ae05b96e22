package main

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"
)

// A fault is something that goes wrong on request. Kinds:
//
//	drop-mid-body    the connection breaks in the middle of a file's body
//	status           requests are answered with Status (default 503)
//	delay            requests wait for Milliseconds first
//	hold-after       file bodies stand still once Bytes of them have left, until the fault is cleared
//	rate             all file bodies together leave at Bytes per second
//	login-refuse     a login is refused whatever the password
//	login-torn       a login is taken and its cookie sent, but the rest of its answer is lost
//	forget-session   a call is answered as if its session had ended; it goes on
//	ignore-shutdown  ShutdownGuest is accepted and has no effect
//	slow-shutdown    a guest that is asked to shut down does so Milliseconds later
//	hang-power-off   a task that powers a VM off does not end until the fault is lifted
//	snapshot-fail    the guest is not quiesced, so that no snapshot is made
//	no-consolidation a snapshot is removed, but its delta stays and the VM needs consolidation
//	lease-timeout    leases end when they hear nothing for Milliseconds
//	lease-host       leases name a host that nobody knows, instead of "*"
//	unplug-hosts     the ESXi hosts answer nobody until the fault is lifted
//	expire-sessions  every session ends now, and tickets that were not used (no count)
//
// Count says how often it strikes, -1 until cleared, default 1. Where is "sdk" or "folder" (of vCenter) or "host" (everything at
// an ESXi host; "" all); Match has to be part of
// the file's path or the method's name.
type fault struct {
	Kind         string `json:"kind"`
	Count        int    `json:"count"`
	Where        string `json:"where"`
	Match        string `json:"match"`
	Status       int    `json:"status"`
	Milliseconds int    `json:"milliseconds"`
	Bytes        int64  `json:"bytes"`

	passed int64         // hold-after: bytes that left so far
	lifted chan struct{} // closed when the fault is cleared
}

var faultKinds = map[string]bool{"drop-mid-body": true, "status": true, "delay": true, "hold-after": true, "rate": true,
	"login-refuse": true, "login-torn": true, "forget-session": true, "ignore-shutdown": true, "slow-shutdown": true, "hang-power-off": true, "unplug-hosts": true, "expire-sessions": true,
	"snapshot-fail": true, "no-consolidation": true, "lease-timeout": true, "lease-host": true}

type faults struct {
	mutex   sync.Mutex
	set     []*fault
	holding int // bodies that stand still just now
}

func newFaults() *faults { return &faults{} }

func (f *faults) add(one *fault) error {
	if !faultKinds[one.Kind] {
		return fmt.Errorf("kind: %q is not known", one.Kind)
	}
	if one.Count == 0 {
		one.Count = 1
	}
	one.lifted = make(chan struct{})
	f.mutex.Lock()
	defer f.mutex.Unlock()
	f.set = append(f.set, one)
	return nil
}

// clear lifts the faults of a kind, or all with "".
func (f *faults) clear(kind string) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	kept := f.set[:0]
	for _, one := range f.set {
		if kind == "" || one.Kind == kind {
			close(one.lifted)
		} else {
			kept = append(kept, one)
		}
	}
	f.set = kept
}

// take uses a fault up once; FALSE when there is none.
func (f *faults) take(kind, subject string) bool { return f.find(kind, "", subject) != nil }

func (f *faults) find(kind, where, subject string) *fault {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	for _, one := range f.set {
		if one.Kind != kind || one.Count == 0 || (where != "" && one.Where != "" && one.Where != where) ||
			!strings.Contains(subject, one.Match) {
			continue
		}
		if one.Count > 0 {
			one.Count--
		}
		return one
	}
	return nil
}

// hit applies the faults that strike before a request is served; TRUE when it has been answered.
func (f *faults) hit(w http.ResponseWriter, r *http.Request, where, subject string) bool {
	if delay := f.find("delay", where, subject); delay != nil {
		select {
		case <-time.After(time.Duration(delay.Milliseconds) * time.Millisecond):
		case <-delay.lifted:
		case <-r.Context().Done():
			return true
		}
	}
	if status := f.find("status", where, subject); status != nil {
		code := status.Status
		if code == 0 {
			code = http.StatusServiceUnavailable
		}
		http.Error(w, http.StatusText(code), code)
		return true
	}
	return false
}

// pass lets n bytes of a body go, or keeps them until they may.
func (f *faults) pass(ctx context.Context, subject string, n int) error {
	for {
		hold, wait := f.owed(subject, int64(n))
		if wait > 0 {
			select {
			case <-time.After(wait):
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		if hold == nil {
			return nil
		}
		f.count(1)
		select {
		case <-hold.lifted:
		case <-ctx.Done():
		}
		f.count(-1)
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
}

func (f *faults) owed(subject string, n int64) (hold *fault, wait time.Duration) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	for _, one := range f.set {
		if !strings.Contains(subject, one.Match) {
			continue
		}
		switch one.Kind {
		case "hold-after":
			if one.passed+n > one.Bytes {
				return one, 0
			}
			one.passed += n
		case "rate":
			wait = time.Duration(float64(n) / float64(max(one.Bytes, 1)) * float64(time.Second))
		}
	}
	return nil, wait
}

func (f *faults) count(change int) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	f.holding += change
}

func (f *faults) held() int {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	return f.holding
}
