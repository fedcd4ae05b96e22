package io.konveyor.forklift.vmware

import rego.v1

test_disk_mode_fires_1 if "vmware.disk_mode.independent" in concern_ids with input as {"name": "a", "disks": [{"mode": "independent_persistent"}]}

test_disk_mode_is_silent_1 if not "vmware.disk_mode.independent" in concern_ids with input as {"name": "a", "disks": [{"mode": "persistent"}]}
