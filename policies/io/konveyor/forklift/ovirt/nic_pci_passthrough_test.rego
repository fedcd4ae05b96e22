package io.konveyor.forklift.ovirt

import rego.v1

test_nic_pci_passthrough_fires_1 if "ovirt.nic.pci_passthrough.detected" in concern_ids with input as {"name": "a", "nics": [{"id": "n", "interface": "pci_passthrough"}]}

test_nic_pci_passthrough_is_silent_1 if not "ovirt.nic.pci_passthrough.detected" in concern_ids with input as {"name": "a", "nics": [{"id": "n", "interface": "virtio"}]}
