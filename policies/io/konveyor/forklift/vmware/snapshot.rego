# Only the current state of the disks is migrated.
package io.konveyor.forklift.vmware

import rego.v1

concerns contains {
	"id": "vmware.snapshot.detected",
	"category": "Information",
	"label": "VM snapshot detected",
	"assessment": "Snapshots is not supported by the target. The VM is migrated as it is now, without its snapshots.",
} if {
	input.snapshot.kind == "VirtualMachineSnapshot"
}
