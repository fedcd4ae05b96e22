# Pinned processors are a property of the host that is left behind.
package io.konveyor.forklift.ovirt

import rego.v1

concerns contains {
	"id": "ovirt.cpu.tuning.detected",
	"category": "Warning",
	"label": "CPU tuning detected",
	"assessment": "CPU tuning other than one virtual processor for each pinned one is not supported by the target. The VM is migrated without it.",
} if {
	count(input.cpuAffinity) > 0
}
