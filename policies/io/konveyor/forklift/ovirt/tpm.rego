# Two systems ask for a TPM.
package io.konveyor.forklift.ovirt

import rego.v1

concerns contains {
	"id": "ovirt.tpm.required_by_os",
	"category": "Warning",
	"label": "TPM detected",
	"assessment": "This operating system expects a TPM. The VM gets a new one; what the old one held is not migrated.",
} if {
	regex.match(`windows_2022|windows_11`, input.osType)
}
