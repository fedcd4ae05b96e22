# Kernel same-page merging is a setting of the hosts.
package io.konveyor.forklift.ovirt

import rego.v1

concerns contains {
	"id": "ovirt.cluster.ksm_enabled",
	"category": "Warning",
	"label": "Cluster has KSM enabled",
	"assessment": "Kernel same-page merging is not a setting of a VM in the target. Plan the memory of the nodes without it.",
} if {
	input.cluster.ksmEnabled == true
}
