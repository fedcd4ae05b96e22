# Which drive letter is on which disk is known from the guest tools.
package io.konveyor.forklift.vmware

import rego.v1

concerns contains {
	"id": "vmware.guestDisks.key.not_found",
	"category": "Information",
	"label": sprintf("Missing disk key mapping for '%s'", [disk.diskPath]),
	"assessment": "The guest tools do not say on which disk this drive is. Its drive letter may be another one in the target.",
} if {
	contains(lower(input.guestId), "windows")
	some disk in input.guestDisks
	object.get(disk, "key", 0) == 0
}
