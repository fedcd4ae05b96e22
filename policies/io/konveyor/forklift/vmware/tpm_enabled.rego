# The secrets of a TPM are bound to the machine that it is in.
package io.konveyor.forklift.vmware

import rego.v1

concerns contains {
	"id": "vmware.tpm.detected",
	"category": "Warning",
	"label": "TPM detected",
	"assessment": "The contents of the TPM are not migrated. What was sealed with it, such as disk keys, has to be recovered in the target.",
} if {
	input.tpmEnabled == true
}
