# High availability restarts a VM when its host fails.
package io.konveyor.forklift.ovirt

import rego.v1

concerns contains {
	"id": "ovirt.ha.enabled",
	"category": "Warning",
	"label": "VM configured as HA",
	"assessment": "High availability of oVirt is not supported by the target. Choose a run strategy in the target that restarts the VM.",
} if {
	input.haEnabled == true
}
