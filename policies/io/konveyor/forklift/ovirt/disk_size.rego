# A disk of no size is a sign of a broken inventory.
package io.konveyor.forklift.ovirt

import rego.v1

concerns contains {
	"id": "ovirt.disk.capacity.invalid",
	"category": "Critical",
	"label": "Disk has an invalid capacity",
	"assessment": "The provisioned size of a disk has to be more than 0 bytes. The VM cannot be migrated until oVirt shows it.",
} if {
	some attachment in input.diskAttachments
	attachment.disk.storageType != "lun"
	attachment.disk.provisionedSize <= 0
}
