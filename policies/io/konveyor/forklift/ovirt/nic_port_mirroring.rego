# Mirrored traffic is set up in the network.
package io.konveyor.forklift.ovirt

import rego.v1

concerns contains {
	"id": "ovirt.nic.port_mirroring.detected",
	"category": "Warning",
	"label": "NIC with port mirroring detected",
	"assessment": "Port mirroring of a vNIC profile is not migrated.",
} if {
	some nic in input.nics
	nic.profile.portMirroring == true
}
