# Without a datastore there is nothing to read the disk from.
package io.konveyor.forklift.vmware

import rego.v1

concerns contains {
	"id": "vmware.datastore.missing",
	"category": "Critical",
	"label": "Disk is not located on a datastore",
	"assessment": "A disk of this VM is on no datastore. The VM cannot be migrated until it is.",
} if {
	some disk in input.disks
	disk.datastore.id == ""
}
