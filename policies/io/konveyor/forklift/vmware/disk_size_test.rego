package io.konveyor.forklift.vmware

import rego.v1

test_disk_size_fires_1 if "vmware.disk.capacity.invalid" in concern_ids with input as {"name": "a", "disks": [{"file": "[ds] a/a.vmdk", "capacity": 0}]}

test_disk_size_is_silent_1 if not "vmware.disk.capacity.invalid" in concern_ids with input as {"name": "a", "disks": [{"file": "[ds] a/a.vmdk", "capacity": 1}]}
