# Pinned processors are a property of the host that is left behind.
package io.konveyor.forklift.vmware

import rego.v1

concerns contains {
	"id": "vmware.cpu_affinity.detected",
	"category": "Warning",
	"label": "CPU affinity detected",
	"assessment": "CPU affinity is not supported by the target. The VM is migrated without it; pin its processors in the target if it needs that.",
} if {
	count(input.cpuAffinity) > 0
}
