# Disks of other interfaces are attached as virtio.
package io.konveyor.forklift.ovirt

import rego.v1

concerns contains {
	"id": "ovirt.disk.interface_type.unsupported",
	"category": "Warning",
	"label": "Unsupported disk interface type detected",
	"assessment": "A disk interface other than sata, virtio_scsi and virtio is not supported by the target. The disk is attached as virtio.",
} if {
	some attachment in input.diskAttachments
	not regex.match(`sata|virtio_scsi|virtio`, attachment.interface)
}
