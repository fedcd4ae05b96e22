# A snapshot leaves an independent disk out.
package io.konveyor.forklift.vmware

import rego.v1

concerns contains {
	"id": "vmware.disk_mode.independent",
	"category": "Warning",
	"label": "Independent disk detected",
	"assessment": "An independent disk is in no snapshot, so it can be migrated cold only. Change its mode to migrate the VM warm.",
} if {
	some disk in input.disks
	disk.mode in {"independent_persistent", "independent_nonpersistent"}
}
