# A rule that ties the VM to hosts that are left behind.
package io.konveyor.forklift.vmware

import rego.v1

concerns contains {
	"id": "vmware.host_affinity.detected",
	"category": "Warning",
	"label": "VM-Host affinity detected",
	"assessment": "VM-Host affinity is not supported by the target. The VM is migrated without it; use node selectors in the target instead.",
} if {
	some vm in input.host.cluster.hostAffinityVms
	vm.id == input.id
}
