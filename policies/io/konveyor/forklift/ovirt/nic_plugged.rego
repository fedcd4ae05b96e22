# An unplugged card is plugged in the target.
package io.konveyor.forklift.ovirt

import rego.v1

concerns contains {
	"id": "ovirt.nic.unplugged.detected",
	"category": "Warning",
	"label": "Unplugged NIC detected",
	"assessment": "A NIC that is unplugged in oVirt is connected in the target.",
} if {
	some nic in input.nics
	nic.plugged == false
}
