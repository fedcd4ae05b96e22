# Memory that the host may take back from the guest.
package io.konveyor.forklift.ovirt

import rego.v1

concerns contains {
	"id": "ovirt.memory.ballooning.enabled",
	"category": "Information",
	"label": "VM has memory ballooning enabled",
	"assessment": "Memory ballooning by oVirt is not supported by the target. The VM is migrated with its full memory.",
} if {
	input.balloonedMemory == true
}
