package io.konveyor.forklift.ovirt

import rego.v1

test_disk_status_fires_1 if "ovirt.disk.illegal_or_locked_status" in concern_ids with input as {"name": "a", "diskAttachments": [{"id": "d", "disk": {"status": "locked"}}]}

test_disk_status_is_silent_1 if not "ovirt.disk.illegal_or_locked_status" in concern_ids with input as {"name": "a", "diskAttachments": [{"id": "d", "disk": {"status": "ok"}}]}
