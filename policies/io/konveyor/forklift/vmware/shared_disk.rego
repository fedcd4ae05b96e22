# A disk that other VMs write to as well.
package io.konveyor.forklift.vmware

import rego.v1

concerns contains {
	"id": "vmware.disk.shared.detected",
	"category": "Warning",
	"label": "Shared disk detected",
	"assessment": "This disk is used by more than one VM. Migrate them together, and choose storage in the target that several VMs may write to.",
} if {
	some disk in input.disks
	disk.shared == true
}
