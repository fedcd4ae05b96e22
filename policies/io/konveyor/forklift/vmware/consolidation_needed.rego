# Delta files of deleted snapshots are still in the disk chain.
package io.konveyor.forklift.vmware

import rego.v1

concerns contains {
	"id": "vmware.consolidation_needed",
	"category": "Warning",
	"label": "Snapshot consolidation required",
	"assessment": "The disks of this VM have to be consolidated in vSphere. Until then each snapshot of a warm migration takes longer.",
} if {
	input.consolidationNeeded == true
}
