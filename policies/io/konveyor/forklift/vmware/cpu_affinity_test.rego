package io.konveyor.forklift.vmware

import rego.v1

test_cpu_affinity_fires_1 if "vmware.cpu_affinity.detected" in concern_ids with input as {"name": "a", "cpuAffinity": [0, 2]}

test_cpu_affinity_is_silent_1 if not "vmware.cpu_affinity.detected" in concern_ids with input as {"name": "a", "cpuAffinity": []}
