package main

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"

	"github.com/vmware/govmomi/object"
	"github.com/vmware/govmomi/vim25/types"
)

// controlHandler is the tests' side door:
//
//	POST /control/power  {"vm","state":"on|off"}             as if somebody pressed the button at the console
//	GET  /control/power?vm=NAME                                {"state": "poweredOn"}: what the machine does, whoever made it
//	POST /control/write  {"vm","disk":KEY,"offset","bytes":BASE64 | "seed","length"}   the guest writes (it has to be on)
//	POST /control/fault  a fault (faults.go);  DELETE /control/fault[?kind=K] lifts them
//	POST /control/role   {"name","privileges":[…]}           what the account may do from now on;  DELETE: everything
//	GET  /control/log    what was asked (record.go), the open sessions, bodies that a hold keeps;  DELETE forgets it
func controlHandler(g *gate) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /control/power", answer(g.controlPower))
	mux.HandleFunc("GET /control/power", answer(g.controlPowerState))
	mux.HandleFunc("POST /control/write", answer(g.controlWrite))
	mux.HandleFunc("POST /control/fault", answer(g.controlFault))
	mux.HandleFunc("DELETE /control/fault", answer(func(r *http.Request) (any, error) {
		g.faults.clear(r.URL.Query().Get("kind"))
		return nil, nil
	}))
	mux.HandleFunc("POST /control/role", answer(g.controlRole))
	mux.HandleFunc("DELETE /control/role", answer(func(*http.Request) (any, error) {
		g.privileges.set(nil)
		return nil, nil
	}))
	mux.HandleFunc("GET /control/log", answer(g.controlLog))
	mux.HandleFunc("DELETE /control/log", answer(func(*http.Request) (any, error) {
		g.record.clear()
		g.forgetHosts()
		return nil, nil
	}))
	g.snapshots.controls(mux)
	return mux
}

func answer(handle func(*http.Request) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		result, err := handle(r)
		w.Header().Set("Content-Type", "application/json")
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
			result = map[string]string{"error": err.Error()}
		}
		if result == nil {
			result = struct{}{}
		}
		json.NewEncoder(w).Encode(result)
	}
}

func decode(r *http.Request, into any) error {
	decoder := json.NewDecoder(r.Body)
	decoder.DisallowUnknownFields()
	return decoder.Decode(into)
}

func (g *gate) controlPower(r *http.Request) (any, error) {
	var ask struct{ VM, State string }
	if err := decode(r, &ask); err != nil {
		return nil, err
	}
	vm := g.world.vm(ask.VM)
	if vm == nil {
		return nil, fmt.Errorf("vm: there is no %q", ask.VM)
	}
	machine := object.NewVirtualMachine(g.world.client, vm.Self)
	press := machine.PowerOff
	if ask.State == "on" {
		g.rewriteConfig(vm)
		press = machine.PowerOn
	} else if ask.State != "off" {
		return nil, errors.New("state: has to be on or off")
	}
	task, err := press(r.Context())
	if err != nil {
		return nil, err
	}
	return nil, task.Wait(r.Context())
}

func (g *gate) controlPowerState(r *http.Request) (any, error) {
	name := r.URL.Query().Get("vm")
	vm := g.world.vm(name)
	if vm == nil {
		return nil, fmt.Errorf("vm: there is no %q", name)
	}
	var state types.VirtualMachinePowerState
	g.world.model.Map().WithLock(g.context(), vm, func() { state = vm.Runtime.PowerState })
	return map[string]any{"state": state}, nil
}

func (g *gate) controlWrite(r *http.Request) (any, error) {
	var ask struct {
		VM, Bytes            string
		Disk                 int32
		Offset, Length, Seed int64
	}
	if err := decode(r, &ask); err != nil {
		return nil, err
	}
	vm := g.world.vm(ask.VM)
	if vm == nil {
		return nil, fmt.Errorf("vm: there is no %q", ask.VM)
	}
	on := false
	g.world.model.Map().WithLock(g.context(), vm, func() {
		on = vm.Runtime.PowerState == types.VirtualMachinePowerStatePoweredOn
	})
	if !on {
		return nil, errors.New("a guest that is off writes nothing")
	}
	data, err := base64.StdEncoding.DecodeString(ask.Bytes)
	if err != nil {
		return nil, err
	}
	if len(data) == 0 {
		data = make([]byte, ask.Length)
		random := rand.NewPCG(uint64(ask.Seed), 0)
		for i := range data {
			data[i] = byte(random.Uint64())
		}
	}
	return nil, g.write(vm, ask.Disk, ask.Offset, data)
}

func (g *gate) controlFault(r *http.Request) (any, error) {
	one := &fault{}
	if err := decode(r, one); err != nil {
		return nil, err
	}
	if one.Kind == "expire-sessions" {
		g.expire()
		g.tickets.forget()
		return nil, nil
	}
	if err := g.faults.add(one); err != nil {
		return nil, err
	}
	if one.Kind == "unplug-hosts" {
		g.unplugHosts(one)
	}
	return nil, nil
}

func (g *gate) controlRole(r *http.Request) (any, error) {
	role := &Role{}
	if err := decode(r, role); err != nil {
		return nil, err
	}
	g.privileges.set(role)
	return nil, nil
}

func (g *gate) controlLog(*http.Request) (any, error) {
	alive := []string{}
	for _, key := range g.record.sessions() {
		if g.alive(key) {
			alive = append(alive, g.record.sessionUser(key))
		}
	}
	g.record.mutex.Lock()
	defer g.record.mutex.Unlock()
	view := map[string]any{
		"logins": append([]loginTry{}, g.record.logins...), "calls": g.record.calls, "reads": g.record.reads,
		"locked": g.record.locked, "sessions": alive, "held": g.faults.held(), "hosts": g.hostViews(),
	}
	text, err := json.Marshal(view)
	return json.RawMessage(text), err
}
