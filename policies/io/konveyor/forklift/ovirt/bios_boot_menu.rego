# The boot menu is a setting of the old machine.
package io.konveyor.forklift.ovirt

import rego.v1

concerns contains {
	"id": "ovirt.bios.boot_menu.enabled",
	"category": "Warning",
	"label": "VM has BIOS boot menu enabled",
	"assessment": "The BIOS boot menu is not supported by the target. The VM is migrated without it.",
} if {
	input.bootMenuEnabled == true
}
