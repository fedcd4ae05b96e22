# The target has a limit of disks for each VM.
package io.konveyor.forklift.vmware

import rego.v1

concerns contains {
	"id": "vmware.disk.count.exceeds.limit",
	"category": "Warning",
	"label": sprintf("VM has %d disks, which exceeds the limit of 165", [count(input.disks)]),
	"assessment": "The target attaches at most 165 disks to a VM. Merge disks or detach some before the migration.",
} if {
	count(input.disks) > 165
}
