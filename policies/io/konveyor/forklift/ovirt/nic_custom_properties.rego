# Custom properties are read by hooks of oVirt.
package io.konveyor.forklift.ovirt

import rego.v1

concerns contains {
	"id": "ovirt.nic.custom_properties.detected",
	"category": "Warning",
	"label": "vNIC custom properties detected",
	"assessment": "Custom properties of a vNIC profile are not migrated.",
} if {
	some nic in input.nics
	count(nic.profile.properties) > 0
}
