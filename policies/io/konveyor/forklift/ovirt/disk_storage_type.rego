# Only images and direct LUNs can be moved.
package io.konveyor.forklift.ovirt

import rego.v1

concerns contains {
	"id": "ovirt.disk.storage_type.unsupported",
	"category": "Critical",
	"label": "Unsupported disk storage type detected",
	"assessment": "A disk whose storage type is neither image nor lun cannot be transferred. Move it to a storage domain first.",
} if {
	some attachment in input.diskAttachments
	not attachment.disk.storageType in {"image", "lun"}
	attachment.disk.storageType
}
