package io.konveyor.forklift.vmware

import rego.v1

test_guest_disk_mapping_fires_1 if "vmware.guestDisks.key.not_found" in concern_ids with input as {"name": "a", "guestId": "windows2019srv_64Guest", "guestDisks": [{"diskPath": "D:\\"}]}

test_guest_disk_mapping_is_silent_1 if not "vmware.guestDisks.key.not_found" in concern_ids with input as {"name": "a", "guestId": "debian11_64Guest", "guestDisks": [{"diskPath": "/"}]}

test_guest_disk_mapping_is_silent_2 if not "vmware.guestDisks.key.not_found" in concern_ids with input as {"name": "a", "guestId": "windows2019srv_64Guest", "guestDisks": [{"diskPath": "D:\\", "key": 2000}]}
