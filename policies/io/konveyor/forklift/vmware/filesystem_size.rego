# The conversion writes drivers and boot files into the guest.
package io.konveyor.forklift.vmware

import rego.v1

# MiB that virt-v2v wants free on a mount point or drive.
free_space_needed(path) := 100 if {
	lower(path) in {"/", "c:", "c:\\", "c:/"}
} else := 50 if {
	path == "/boot"
} else := 10

concerns contains {
	"id": "vmware.guestDisks.freespace",
	"category": "Critical",
	"label": sprintf("Insufficient free space for conversion on '%s'", [disk.diskPath]),
	"assessment": sprintf("The conversion of the guest needs %d MiB of free space on this file system.", [needed]),
} if {
	some disk in input.guestDisks
	needed := free_space_needed(disk.diskPath)
	disk.freeSpace < needed * 1048576
}
