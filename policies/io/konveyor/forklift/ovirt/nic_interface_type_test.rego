package io.konveyor.forklift.ovirt

import rego.v1

test_nic_interface_type_fires_1 if "ovirt.nic.interface_type.unsupported" in concern_ids with input as {"name": "a", "nics": [{"id": "n", "interface": "pci_passthrough"}]}

test_nic_interface_type_is_silent_1 if not "ovirt.nic.interface_type.unsupported" in concern_ids with input as {"name": "a", "nics": [{"id": "n", "interface": "virtio"}]}
