# Secure boot has keys of its own.
package io.konveyor.forklift.ovirt

import rego.v1

concerns contains {
	"id": "ovirt.secure_boot.detected",
	"category": "Warning",
	"label": "UEFI secure boot detected",
	"assessment": "UEFI secure boot is not kept: the VM starts in the target with UEFI without secure boot.",
} if {
	input.bios == "q35_secure_boot"
}
