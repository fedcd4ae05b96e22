# A fault-tolerant VM has a shadow that takes over at once.
package io.konveyor.forklift.vmware

import rego.v1

concerns contains {
	"id": "vmware.fault_tolerance.enabled",
	"category": "Information",
	"label": "Fault tolerance",
	"assessment": "Fault tolerance is not supported by the target. The VM is migrated without its shadow.",
} if {
	input.faultToleranceEnabled == true
}
