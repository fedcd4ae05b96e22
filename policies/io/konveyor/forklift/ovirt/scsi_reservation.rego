# Reservations are how cluster nodes share a disk.
package io.konveyor.forklift.ovirt

import rego.v1

concerns contains {
	"id": "ovirt.disk.scsi_reservation.enabled",
	"category": "Warning",
	"label": "Shared disk detected",
	"assessment": "A disk uses SCSI reservations, so other VMs are likely to share it. Choose storage in the target that several VMs may write to.",
} if {
	some attachment in input.diskAttachments
	attachment.scsiReservation == true
}
