# Network filters are rules of oVirt's hosts.
package io.konveyor.forklift.ovirt

import rego.v1

concerns contains {
	"id": "ovirt.nic.network_filter.detected",
	"category": "Warning",
	"label": "NIC with network filter detected",
	"assessment": "The network filter of a vNIC profile is not migrated. Use network policies in the target.",
} if {
	some nic in input.nics
	nic.profile.networkFilter != ""
}
