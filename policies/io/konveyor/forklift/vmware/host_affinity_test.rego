package io.konveyor.forklift.vmware

import rego.v1

test_host_affinity_fires_1 if "vmware.host_affinity.detected" in concern_ids with input as {"name": "a", "id": "vm-1", "host": {"cluster": {"hostAffinityVms": [{"id": "vm-1"}]}}}

test_host_affinity_is_silent_1 if not "vmware.host_affinity.detected" in concern_ids with input as {"name": "a", "id": "vm-1", "host": {"cluster": {"hostAffinityVms": [{"id": "vm-2"}]}}}
