# Memory nodes are a property of the host that is left behind.
package io.konveyor.forklift.ovirt

import rego.v1

concerns contains {
	"id": "ovirt.numa.tuning.detected",
	"category": "Warning",
	"label": "NUMA tuning detected",
	"assessment": "NUMA tuning is not supported by the target. The VM is migrated without it.",
} if {
	count(input.numaNodeAffinity) > 0
}
