package io.konveyor.forklift.ovirt

import rego.v1

test_cpu_shares_fires_1 if "ovirt.cpu.shares.defined" in concern_ids with input as {"name": "a", "cpuShares": 1024}

test_cpu_shares_is_silent_1 if not "ovirt.cpu.shares.defined" in concern_ids with input as {"name": "a", "cpuShares": 0}
