# A locked or illegal disk cannot be read.
package io.konveyor.forklift.ovirt

import rego.v1

concerns contains {
	"id": "ovirt.disk.illegal_or_locked_status",
	"category": "Critical",
	"label": "VM has an illegal or locked disk status condition",
	"assessment": "A disk of this VM is locked or illegal, so its transfer is likely to fail. Wait for what locks it, or mend it in oVirt.",
} if {
	some attachment in input.diskAttachments
	regex.match(`illegal|locked`, attachment.disk.status)
}
