package io.konveyor.forklift.vmware

import rego.v1

test_sriov_device_fires_1 if "vmware.device.sriov.detected" in concern_ids with input as {"name": "a", "devices": [{"kind": "VirtualSriovEthernetCard"}]}

test_sriov_device_is_silent_1 if not "vmware.device.sriov.detected" in concern_ids with input as {"name": "a", "devices": []}
