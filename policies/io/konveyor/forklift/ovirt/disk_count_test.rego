package io.konveyor.forklift.ovirt

import rego.v1

test_disk_count_fires_1 if "ovirt.disk.count.exceeds.limit" in concern_ids with input as {"name": "a", "diskAttachments": numbers.range(1, 166)}

test_disk_count_is_silent_1 if not "ovirt.disk.count.exceeds.limit" in concern_ids with input as {"name": "a", "diskAttachments": numbers.range(1, 165)}
