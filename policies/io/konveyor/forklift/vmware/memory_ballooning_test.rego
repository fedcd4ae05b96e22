package io.konveyor.forklift.vmware

import rego.v1

test_memory_ballooning_fires_1 if "vmware.memory_ballooning.detected" in concern_ids with input as {"name": "a", "balloonedMemory": 64}

test_memory_ballooning_is_silent_1 if not "vmware.memory_ballooning.detected" in concern_ids with input as {"name": "a", "balloonedMemory": 0}
