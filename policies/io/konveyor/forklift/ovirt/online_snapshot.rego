# A snapshot that holds memory belongs to the old machine.
package io.konveyor.forklift.ovirt

import rego.v1

concerns contains {
	"id": "ovirt.snapshot.online_memory.detected",
	"category": "Warning",
	"label": "Online (memory) snapshot detected",
	"assessment": "Snapshots with memory are not migrated. The VM is migrated as it is now.",
} if {
	some snapshot in input.snapshots
	snapshot.persistMemory == true
}
