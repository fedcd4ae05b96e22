package io.konveyor.forklift.ovirt

import rego.v1

test_nic_plugged_fires_1 if "ovirt.nic.unplugged.detected" in concern_ids with input as {"name": "a", "nics": [{"id": "n", "plugged": false}]}

test_nic_plugged_is_silent_1 if not "ovirt.nic.unplugged.detected" in concern_ids with input as {"name": "a", "nics": [{"id": "n", "plugged": true}]}
