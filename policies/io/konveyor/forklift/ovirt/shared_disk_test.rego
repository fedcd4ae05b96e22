package io.konveyor.forklift.ovirt

import rego.v1

test_shared_disk_fires_1 if "ovirt.disk.shared.detected" in concern_ids with input as {"name": "a", "diskAttachments": [{"id": "d", "disk": {"shared": true}}]}

test_shared_disk_is_silent_1 if not "ovirt.disk.shared.detected" in concern_ids with input as {"name": "a", "diskAttachments": [{"id": "d", "disk": {"shared": false}}]}
