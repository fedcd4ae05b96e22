package io.konveyor.forklift.vmware

import rego.v1

test_ip_state_fires_1 if "vmware.vm_missing_ip.detected" in concern_ids with input as {"name": "a", "guestNetworks": []}

test_ip_state_is_silent_1 if not "vmware.vm_missing_ip.detected" in concern_ids with input as {"name": "a", "guestNetworks": [{"ip": "192.0.2.1"}]}
