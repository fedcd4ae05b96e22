package io.konveyor.forklift.vmware

import rego.v1

test_rdm_disk_fires_1 if "vmware.disk.rdm.detected" in concern_ids with input as {"name": "a", "disks": [{"rdm": false}, {"rdm": true}]}

test_rdm_disk_is_silent_1 if not "vmware.disk.rdm.detected" in concern_ids with input as {"name": "a", "disks": [{"rdm": false}]}
