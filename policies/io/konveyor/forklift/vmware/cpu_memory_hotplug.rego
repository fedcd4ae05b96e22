# Processors or memory that can be added to the running VM.
package io.konveyor.forklift.vmware

import rego.v1

concerns contains {
	"id": "vmware.cpu_memory.hotplug.enabled",
	"category": "Warning",
	"label": "CPU/Memory hotplug detected",
	"assessment": "Hot-plugging of processors or memory is not supported by the target. Review the number of processors and the memory after the migration.",
} if {
	some setting in ["cpuHotAddEnabled", "cpuHotRemoveEnabled", "memoryHotAddEnabled"]
	input[setting] == true
}
