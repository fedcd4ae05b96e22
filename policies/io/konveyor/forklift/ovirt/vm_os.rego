# An operating system that the target does not support.
package io.konveyor.forklift.ovirt

import rego.v1

concerns contains {
	"id": "ovirt.os.unsupported",
	"category": "Warning",
	"label": "Unsupported operating system detected",
	"assessment": "This guest operating system is not supported by the target. The VM may need changes by hand afterwards.",
} if {
	regex.match(`rhel_6`, input.osType)
}
