package main

import (
	"fmt"
	"net/http"
	"time"

	"github.com/vmware/govmomi/object"
	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/types"
)

// stall answers a call that changes a VM's power when a fault says that it does not go as it should. Before a VM starts its
// configuration is written anew, as vSphere has it.
func (g *gate) stall(w http.ResponseWriter, method string, body []byte) bool {
	vm := g.world.vm(calledOn(method, body))
	if vm == nil {
		return false // the simulator says so
	}
	switch method {
	case "PowerOnVM_Task":
		g.rewriteConfig(vm)
	case "ShutdownGuest":
		ignored := g.faults.take("ignore-shutdown", "")
		slow := g.faults.find("slow-shutdown", "", vm.Name)
		if slow != nil {
			go g.offLater(vm, slow)
		}
		if ignored || slow != nil {
			soapReply(w, http.StatusOK, `<ShutdownGuestResponse xmlns="urn:vim25"/>`)
			return true
		}
	case "PowerOffVM_Task":
		if hang := g.faults.find("hang-power-off", "", vm.Name); hang != nil {
			soapReply(w, http.StatusOK, fmt.Sprintf(`<PowerOffVM_TaskResponse xmlns="urn:vim25"><returnval type="Task">%s</returnval>`+
				`</PowerOffVM_TaskResponse>`, g.hangingTask(vm, hang).Value))
			return true
		}
	}
	return false
}

// calledOn is the id of the object that a call is made on.
func calledOn(method string, body []byte) string {
	call, err := simulator.UnmarshalBody(types.TypeFunc(), body)
	if err != nil {
		return ""
	}
	return call.This.Value
}

// rewriteConfig moves config.changeVersion, which the simulator leaves as it is when a VM starts.
func (g *gate) rewriteConfig(vm *simulator.VirtualMachine) {
	ctx := g.context()
	g.world.model.Map().WithLock(ctx, vm, func() {
		if vm.Runtime.PowerState != types.VirtualMachinePowerStatePoweredOn {
			ctx.Update(vm, []types.PropertyChange{{Name: "config.changeVersion", Val: fmt.Sprint(time.Now().UnixNano())}})
		}
	})
}

func (g *gate) offLater(vm *simulator.VirtualMachine, slow *fault) {
	select {
	case <-time.After(time.Duration(slow.Milliseconds) * time.Millisecond):
	case <-slow.lifted:
	}
	g.powerOff(vm)
}

func (g *gate) powerOff(vm *simulator.VirtualMachine) {
	ctx := g.context()
	if task, err := object.NewVirtualMachine(g.world.client, vm.Self).PowerOff(ctx); err == nil {
		task.Wait(ctx)
	}
}

// hangingTask is a task that runs until its fault is lifted, and then does what it should have done. It is a task on no object that
// anybody looks at, because the simulator locks a task's object.
func (g *gate) hangingTask(vm *simulator.VirtualMachine, hang *fault) types.ManagedObjectReference {
	nobody := types.ManagedObjectReference{Type: "VirtualMachine", Value: "nobody-" + vm.Self.Value}
	return simulator.CreateTask(nobody, "powerOff", func(*simulator.Task) (types.AnyType, types.BaseMethodFault) {
		<-hang.lifted
		g.powerOff(vm)
		return nil, nil
	}).Run(g.context())
}
