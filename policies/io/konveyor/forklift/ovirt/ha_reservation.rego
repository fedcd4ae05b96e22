# The cluster keeps room for VMs of a failed host.
package io.konveyor.forklift.ovirt

import rego.v1

concerns contains {
	"id": "ovirt.ha.reservation.enabled",
	"category": "Warning",
	"label": "Cluster has HA reservation",
	"assessment": "HA reservation is not supported by the target. The VM is migrated without this feature of its cluster.",
} if {
	input.cluster.haReservation == true
}
