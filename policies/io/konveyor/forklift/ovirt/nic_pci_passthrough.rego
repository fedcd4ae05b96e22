# A card of the host cannot follow the VM.
package io.konveyor.forklift.ovirt

import rego.v1

concerns contains {
	"id": "ovirt.nic.pci_passthrough.detected",
	"category": "Warning",
	"label": "NIC with host device passthrough detected",
	"assessment": "A passed-through NIC is attached by SR-IOV in the target, which needs an SR-IOV network there.",
} if {
	some nic in input.nics
	regex.match(`pci_passthrough`, nic.interface)
}
