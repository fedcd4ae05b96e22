# Memory that the host takes back from the guest.
package io.konveyor.forklift.vmware

import rego.v1

concerns contains {
	"id": "vmware.memory_ballooning.detected",
	"category": "Warning",
	"label": "Memory ballooning detected",
	"assessment": "Memory ballooning by vSphere is not supported by the target. The VM is migrated with its full memory.",
} if {
	input.balloonedMemory > 0
}
