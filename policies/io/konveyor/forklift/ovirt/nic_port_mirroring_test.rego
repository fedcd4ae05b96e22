package io.konveyor.forklift.ovirt

import rego.v1

test_nic_port_mirroring_fires_1 if "ovirt.nic.port_mirroring.detected" in concern_ids with input as {"name": "a", "nics": [{"id": "n", "profile": {"portMirroring": true}}]}

test_nic_port_mirroring_is_silent_1 if not "ovirt.nic.port_mirroring.detected" in concern_ids with input as {"name": "a", "nics": [{"id": "n", "profile": {"portMirroring": false}}]}
