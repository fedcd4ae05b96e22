# A device of the host cannot follow the VM.
package io.konveyor.forklift.vmware

import rego.v1

concerns contains {
	"id": "vmware.passthrough_device.detected",
	"category": "Critical",
	"label": "Passthrough device detected",
	"assessment": "A SCSI or PCI passthrough device is not supported by the target. The VM cannot be migrated until the device is removed from it.",
} if {
	some device in input.devices
	device.kind == "VirtualPCIPassthrough"
}
