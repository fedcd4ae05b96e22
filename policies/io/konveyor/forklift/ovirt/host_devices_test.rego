package io.konveyor.forklift.ovirt

import rego.v1

test_host_devices_fires_1 if "ovirt.host_devices.mapped" in concern_ids with input as {"name": "a", "hostDevices": [{"capability": "pci"}]}

test_host_devices_is_silent_1 if not "ovirt.host_devices.mapped" in concern_ids with input as {"name": "a", "hostDevices": []}
