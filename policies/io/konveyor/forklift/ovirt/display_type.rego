# SPICE has no counterpart.
package io.konveyor.forklift.ovirt

import rego.v1

concerns contains {
	"id": "ovirt.display_type.spice.enabled",
	"category": "Information",
	"label": "VM Display Type",
	"assessment": "The SPICE display is not supported by the target. The VM is migrated with VNC.",
} if {
	input.display == "spice"
}
