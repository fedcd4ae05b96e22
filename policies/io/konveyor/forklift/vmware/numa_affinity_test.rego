package io.konveyor.forklift.vmware

import rego.v1

test_numa_affinity_fires_1 if "vmware.numa_affinity.detected" in concern_ids with input as {"name": "a", "numaNodeAffinity": ["0"]}

test_numa_affinity_is_silent_1 if not "vmware.numa_affinity.detected" in concern_ids with input as {"name": "a", "numaNodeAffinity": []}
