package io.konveyor.forklift.ovirt

import rego.v1

test_numa_tune_fires_1 if "ovirt.numa.tuning.detected" in concern_ids with input as {"name": "a", "numaNodeAffinity": ["0"]}

test_numa_tune_is_silent_1 if not "ovirt.numa.tuning.detected" in concern_ids with input as {"name": "a", "numaNodeAffinity": []}
