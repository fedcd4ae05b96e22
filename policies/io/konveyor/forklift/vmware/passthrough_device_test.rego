package io.konveyor.forklift.vmware

import rego.v1

test_passthrough_device_fires_1 if "vmware.passthrough_device.detected" in concern_ids with input as {"name": "a", "devices": [{"kind": "VirtualPCIPassthrough"}]}

test_passthrough_device_is_silent_1 if not "vmware.passthrough_device.detected" in concern_ids with input as {"name": "a", "devices": [{"kind": "VirtualUSBController"}]}
