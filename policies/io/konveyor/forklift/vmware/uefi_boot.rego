# The boot entries of a UEFI guest are kept outside its disks.
package io.konveyor.forklift.vmware

import rego.v1

concerns contains {
	"id": "vmware.uefi_boot.detected",
	"category": "Warning",
	"label": "UEFI secure boot detected",
	"assessment": "The UEFI variables (NVRAM) are not copied. The VM may not boot when its boot loader is not at the fallback path.",
} if {
	input.firmware == "efi"
}
