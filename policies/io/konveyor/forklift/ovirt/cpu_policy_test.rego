package io.konveyor.forklift.ovirt

import rego.v1

test_cpu_policy_fires_1 if "ovirt.cpu.pinning_policy.unsupported" in concern_ids with input as {"name": "a", "cpuPinningPolicy": "isolate_threads"}

test_cpu_policy_is_silent_1 if not "ovirt.cpu.pinning_policy.unsupported" in concern_ids with input as {"name": "a", "cpuPinningPolicy": "dedicated"}
