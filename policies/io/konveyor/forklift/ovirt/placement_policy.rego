# Where a VM may run is said anew in the target.
package io.konveyor.forklift.ovirt

import rego.v1

concerns contains {
	"id": "ovirt.placement_policy.affinity_set",
	"category": "Warning",
	"label": "Placement policy affinity",
	"assessment": "The placement policy of the VM is not migrated. Without shared storage it cannot be live-migrated in the target either.",
} if {
	input.placementPolicyAffinity == "migratable"
}
