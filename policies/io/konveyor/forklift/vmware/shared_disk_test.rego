package io.konveyor.forklift.vmware

import rego.v1

test_shared_disk_fires_1 if "vmware.disk.shared.detected" in concern_ids with input as {"name": "a", "disks": [{"shared": true}]}

test_shared_disk_is_silent_1 if not "vmware.disk.shared.detected" in concern_ids with input as {"name": "a", "disks": [{"shared": false}]}
