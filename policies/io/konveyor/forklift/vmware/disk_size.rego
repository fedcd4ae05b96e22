# A disk of no size is a sign of a broken inventory.
package io.konveyor.forklift.vmware

import rego.v1

concerns contains {
	"id": "vmware.disk.capacity.invalid",
	"category": "Critical",
	"label": sprintf("Disk '%s' has an invalid capacity of %d bytes", [disk.file, disk.capacity]),
	"assessment": "The capacity of a disk has to be more than 0 bytes. The VM cannot be migrated until vSphere shows it.",
} if {
	some disk in input.disks
	disk.capacity <= 0
}
