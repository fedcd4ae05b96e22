package io.konveyor.forklift.ovirt

import rego.v1

test_nic_custom_properties_fires_1 if "ovirt.nic.custom_properties.detected" in concern_ids with input as {"name": "a", "nics": [{"id": "n", "profile": {"properties": [{"name": "p", "value": "v"}]}}]}

test_nic_custom_properties_is_silent_1 if not "ovirt.nic.custom_properties.detected" in concern_ids with input as {"name": "a", "nics": [{"id": "n", "profile": {"properties": []}}]}
