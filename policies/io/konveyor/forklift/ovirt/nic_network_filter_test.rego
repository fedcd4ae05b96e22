package io.konveyor.forklift.ovirt

import rego.v1

test_nic_network_filter_fires_1 if "ovirt.nic.network_filter.detected" in concern_ids with input as {"name": "a", "nics": [{"id": "n", "profile": {"networkFilter": "f"}}]}

test_nic_network_filter_is_silent_1 if not "ovirt.nic.network_filter.detected" in concern_ids with input as {"name": "a", "nics": [{"id": "n", "profile": {"networkFilter": ""}}]}
