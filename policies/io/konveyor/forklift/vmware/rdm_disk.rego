# A raw device mapping is a LUN and not a file of a datastore.
package io.konveyor.forklift.vmware

import rego.v1

concerns contains {
	"id": "vmware.disk.rdm.detected",
	"category": "Warning",
	"label": "Raw Device Mapped disk detected",
	"assessment": "A raw device mapping is not a file that can be copied from a datastore. Convert the disk to VMDK, or detach it and attach its LUN in the target.",
} if {
	some disk in input.disks
	disk.rdm == true
}
