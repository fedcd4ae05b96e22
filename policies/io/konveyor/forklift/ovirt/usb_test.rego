package io.konveyor.forklift.ovirt

import rego.v1

test_usb_fires_1 if "ovirt.usb.enabled" in concern_ids with input as {"name": "a", "usbEnabled": true}

test_usb_is_silent_1 if not "ovirt.usb.enabled" in concern_ids with input as {"name": "a", "usbEnabled": false}
