package io.konveyor.forklift.ovirt

import rego.v1

test_disk_interface_type_fires_1 if "ovirt.disk.interface_type.unsupported" in concern_ids with input as {"name": "a", "diskAttachments": [{"id": "d", "interface": "ide"}]}

test_disk_interface_type_is_silent_1 if not "ovirt.disk.interface_type.unsupported" in concern_ids with input as {"name": "a", "diskAttachments": [{"id": "d", "interface": "virtio_scsi"}]}
