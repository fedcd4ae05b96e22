package io.konveyor.forklift.ovirt

import rego.v1

test_disk_size_fires_1 if "ovirt.disk.capacity.invalid" in concern_ids with input as {"name": "a", "diskAttachments": [{"id": "d", "disk": {"storageType": "image", "provisionedSize": 0}}]}

test_disk_size_is_silent_1 if not "ovirt.disk.capacity.invalid" in concern_ids with input as {"name": "a", "diskAttachments": [{"id": "d", "disk": {"storageType": "lun", "provisionedSize": 0}}]}
