# A disk that other VMs write to as well.
package io.konveyor.forklift.ovirt

import rego.v1

concerns contains {
	"id": "ovirt.disk.shared.detected",
	"category": "Warning",
	"label": "Shared disk detected",
	"assessment": "A disk is used by more than one VM. Migrate them together, and choose storage in the target that several VMs may write to.",
} if {
	some attachment in input.diskAttachments
	attachment.disk.shared == true
}
