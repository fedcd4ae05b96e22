package io.konveyor.forklift.vmware

import rego.v1

test_filesystem_size_fires_1 if "vmware.guestDisks.freespace" in concern_ids with input as {"name": "a", "guestDisks": [{"diskPath": "/", "freeSpace": 104857599}]}

test_filesystem_size_fires_2 if "vmware.guestDisks.freespace" in concern_ids with input as {"name": "a", "guestDisks": [{"diskPath": "C:\\", "freeSpace": 1}]}

test_filesystem_size_fires_3 if "vmware.guestDisks.freespace" in concern_ids with input as {"name": "a", "guestDisks": [{"diskPath": "/data", "freeSpace": 1}]}

test_filesystem_size_is_silent_1 if not "vmware.guestDisks.freespace" in concern_ids with input as {"name": "a", "guestDisks": [{"diskPath": "/", "freeSpace": 104857600}, {"diskPath": "/boot", "freeSpace": 52428800}]}
