package io.konveyor.forklift.ovirt

import rego.v1

test_nic_qos_fires_1 if "ovirt.nic.qos.detected" in concern_ids with input as {"name": "a", "nics": [{"id": "n", "profile": {"qos": "q"}}]}

test_nic_qos_is_silent_1 if not "ovirt.nic.qos.detected" in concern_ids with input as {"name": "a", "nics": [{"id": "n", "profile": {"qos": ""}}]}
