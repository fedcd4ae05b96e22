package io.konveyor.forklift.ovirt

import rego.v1

test_scsi_reservation_fires_1 if "ovirt.disk.scsi_reservation.enabled" in concern_ids with input as {"name": "a", "diskAttachments": [{"id": "d", "scsiReservation": true}]}

test_scsi_reservation_is_silent_1 if not "ovirt.disk.scsi_reservation.enabled" in concern_ids with input as {"name": "a", "diskAttachments": [{"id": "d", "scsiReservation": false}]}
