# Custom properties are read by hooks of oVirt.
package io.konveyor.forklift.ovirt

import rego.v1

concerns contains {
	"id": "ovirt.vm.custom_properties.detected",
	"category": "Warning",
	"label": "VM custom properties detected",
	"assessment": "Custom properties is not supported by the target. What their hooks did has to be set up in the target by other means.",
} if {
	count(input.properties) > 0
}
