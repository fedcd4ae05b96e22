# What happens to a paused VM when its storage is back.
package io.konveyor.forklift.ovirt

import rego.v1

concerns contains {
	"id": "ovirt.storage.resume_behavior.unsupported",
	"category": "Information",
	"label": "VM storage error resume behavior",
	"assessment": "The VM does not resume by itself after a storage error in oVirt. In the target it does.",
} if {
	input.storageErrorResumeBehaviour != "auto_resume"
}
