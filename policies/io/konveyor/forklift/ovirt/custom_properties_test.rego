package io.konveyor.forklift.ovirt

import rego.v1

test_custom_properties_fires_1 if "ovirt.vm.custom_properties.detected" in concern_ids with input as {"name": "a", "properties": [{"name": "p", "value": "v"}]}

test_custom_properties_is_silent_1 if not "ovirt.vm.custom_properties.detected" in concern_ids with input as {"name": "a", "properties": []}
