# Distributed power management switches hosts off when they are not needed.
package io.konveyor.forklift.vmware

import rego.v1

concerns contains {
	"id": "vmware.dpm.enabled",
	"category": "Information",
	"label": "vSphere DPM detected",
	"assessment": "Distributed power management is not supported by the target. The VM is migrated without this feature of its cluster.",
} if {
	input.host.cluster.dpmEnabled == true
}
