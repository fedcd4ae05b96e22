# Warm migration reads only what changed, so the source has to keep track of it.
package io.konveyor.forklift.vmware

import rego.v1

concerns contains {
	"id": "vmware.changed_block_tracking.disabled",
	"category": "Warning",
	"label": "Changed Block Tracking (CBT) not enabled",
	"assessment": "Changed Block Tracking is off for this VM. It is needed for warm migration; switch it on for the VM and each disk, or migrate cold.",
} if {
	input.changeTrackingEnabled == false
}
