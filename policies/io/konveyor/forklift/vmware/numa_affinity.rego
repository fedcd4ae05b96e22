# Memory nodes are a property of the host that is left behind.
package io.konveyor.forklift.vmware

import rego.v1

concerns contains {
	"id": "vmware.numa_affinity.detected",
	"category": "Warning",
	"label": "NUMA node affinity detected",
	"assessment": "NUMA node affinity is not supported by the target. The VM is migrated without it.",
} if {
	count(input.numaNodeAffinity) > 0
}
