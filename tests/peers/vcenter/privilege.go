package main

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/vmware/govmomi/vim25/types"
)

// Role is what the account may do. Absent: everything.
type Role struct {
	Name       string   `json:"name"`
	Privileges []string `json:"privileges"` // as vSphere names them: "VirtualMachine.Interact.PowerOff"
}

// privileges answer what the account may do and deny what it may not.
type privileges struct {
	mutex sync.Mutex
	role  *Role
}

func (p *privileges) set(role *Role) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.role = role
}

// granted: everybody may look around, as everybody does whom vCenter lets in.
func (p *privileges) granted(id string) bool {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	return p.role == nil || strings.HasPrefix(id, "System.") || slices.Contains(p.role.Privileges, id)
}

// What a call needs.
var needs = map[string]string{
	"PowerOffVM_Task":       "VirtualMachine.Interact.PowerOff",
	"ShutdownGuest":         "VirtualMachine.Interact.PowerOff",
	"PowerOnVM_Task":        "VirtualMachine.Interact.PowerOn",
	"CreateSnapshot_Task":   "VirtualMachine.State.CreateSnapshot",
	"RemoveSnapshot_Task":   "VirtualMachine.State.RemoveSnapshot",
	"ExportVm":              "VApp.Export",
	"ExportSnapshot":        "VApp.Export",
	"ReconfigVM_Task":       "VirtualMachine.Config.ChangeTracking", // the only thing that is ever reconfigured here
	"QueryChangedDiskAreas": "VirtualMachine.Provisioning.DiskRandomRead",
}

// What the files of a datastore need, from vCenter and with a ticket.
var fileNeeds = []string{"Datastore.Browse", "Datastore.FileManagement"}

// deny answers a call that the account may not make.
func (g *gate) deny(w http.ResponseWriter, method string) bool {
	privilege := needs[method]
	if privilege == "" || g.privileges.granted(privilege) {
		return false
	}
	soapFault(w, "NoPermission", "Permission to perform this operation was denied.", "<privilegeId>"+privilege+"</privilegeId>")
	return true
}

func (g *gate) mayReadFiles() bool {
	for _, privilege := range fileNeeds {
		if !g.privileges.granted(privilege) {
			return false
		}
	}
	return true
}

func (g *gate) hasPrivileges(w http.ResponseWriter, r *http.Request, body []byte) {
	if !g.alive(cookieOf(r)) {
		soapFault(w, "NotAuthenticated", "The session is not authenticated.", "")
		return
	}
	ask, err := decodeBody[types.HasPrivilegeOnEntities](body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	var text strings.Builder
	for _, entity := range ask.Entity {
		if g.world.model.Map().Get(entity) == nil {
			soapFault(w, "ManagedObjectNotFound", "The object has already been deleted or has not been completely created", "")
			return
		}
		fmt.Fprintf(&text, `<returnval><entity type="%s">%s</entity>`, entity.Type, escape(entity.Value))
		for _, id := range ask.PrivId {
			fmt.Fprintf(&text, `<privAvailability><privId>%s</privId><isGranted>%t</isGranted></privAvailability>`, escape(id),
				g.privileges.granted(id))
		}
		text.WriteString("</returnval>")
	}
	soapReply(w, http.StatusOK, `<HasPrivilegeOnEntitiesResponse xmlns="urn:vim25">`+text.String()+`</HasPrivilegeOnEntitiesResponse>`)
}
