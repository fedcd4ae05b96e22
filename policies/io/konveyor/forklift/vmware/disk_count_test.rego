package io.konveyor.forklift.vmware

import rego.v1

test_disk_count_fires_1 if "vmware.disk.count.exceeds.limit" in concern_ids with input as {"name": "a", "disks": numbers.range(1, 166)}

test_disk_count_is_silent_1 if not "vmware.disk.count.exceeds.limit" in concern_ids with input as {"name": "a", "disks": numbers.range(1, 165)}
