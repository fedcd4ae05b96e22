package io.konveyor.forklift.ovirt

import rego.v1

test_ballooned_memory_fires_1 if "ovirt.memory.ballooning.enabled" in concern_ids with input as {"name": "a", "balloonedMemory": true}

test_ballooned_memory_is_silent_1 if not "ovirt.memory.ballooning.enabled" in concern_ids with input as {"name": "a", "balloonedMemory": false}
