package io.konveyor.forklift.ovirt

import rego.v1

test_disk_storage_type_fires_1 if "ovirt.disk.storage_type.unsupported" in concern_ids with input as {"name": "a", "diskAttachments": [{"id": "d", "disk": {"storageType": "cinder"}}]}

test_disk_storage_type_is_silent_1 if not "ovirt.disk.storage_type.unsupported" in concern_ids with input as {"name": "a", "diskAttachments": [{"id": "d", "disk": {"storageType": "image"}}, {"id": "e", "disk": {"storageType": "lun"}}]}
