package io.konveyor.forklift.ovirt

import rego.v1

test_cpu_tune_fires_1 if "ovirt.cpu.tuning.detected" in concern_ids with input as {"name": "a", "cpuAffinity": [{"set": 0, "cpu": 1}]}

test_cpu_tune_is_silent_1 if not "ovirt.cpu.tuning.detected" in concern_ids with input as {"name": "a", "cpuAffinity": []}
