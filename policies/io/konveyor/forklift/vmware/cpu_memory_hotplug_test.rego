package io.konveyor.forklift.vmware

import rego.v1

test_cpu_memory_hotplug_fires_1 if "vmware.cpu_memory.hotplug.enabled" in concern_ids with input as {"name": "a", "cpuHotAddEnabled": true}

test_cpu_memory_hotplug_fires_2 if "vmware.cpu_memory.hotplug.enabled" in concern_ids with input as {"name": "a", "cpuHotRemoveEnabled": true}

test_cpu_memory_hotplug_fires_3 if "vmware.cpu_memory.hotplug.enabled" in concern_ids with input as {"name": "a", "memoryHotAddEnabled": true}

test_cpu_memory_hotplug_is_silent_1 if not "vmware.cpu_memory.hotplug.enabled" in concern_ids with input as {"name": "a", "cpuHotAddEnabled": false, "cpuHotRemoveEnabled": false, "memoryHotAddEnabled": false}
