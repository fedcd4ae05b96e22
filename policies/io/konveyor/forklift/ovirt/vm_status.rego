# Only a VM that is up or down, or on its way there, can be moved.
package io.konveyor.forklift.ovirt

import rego.v1

concerns contains {
	"id": "ovirt.vm.status_invalid",
	"category": "Warning",
	"label": "VM has a status condition that may prevent successful migration",
	"assessment": "The status of the VM is neither up nor down. Bring it to one of them before the migration.",
} if {
	input.status
	not regex.match(`up|down`, input.status)
}
