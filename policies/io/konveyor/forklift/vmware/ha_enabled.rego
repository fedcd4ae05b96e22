# High availability restarts a VM when its host fails.
package io.konveyor.forklift.vmware

import rego.v1

concerns contains {
	"id": "vmware.ha.enabled",
	"category": "Warning",
	"label": "VM running in HA-enabled cluster",
	"assessment": "Host failover of a vSphere cluster is not supported by the target. Choose a run strategy in the target that restarts the VM.",
} if {
	input.host.cluster.dasEnabled == true
}
