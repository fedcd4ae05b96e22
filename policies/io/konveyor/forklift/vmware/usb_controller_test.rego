package io.konveyor.forklift.vmware

import rego.v1

test_usb_controller_fires_1 if "vmware.usb_controller.detected" in concern_ids with input as {"name": "a", "devices": [{"kind": "VirtualUSBController"}]}

test_usb_controller_is_silent_1 if not "vmware.usb_controller.detected" in concern_ids with input as {"name": "a", "devices": [{"kind": "VirtualVmxnet3"}]}
