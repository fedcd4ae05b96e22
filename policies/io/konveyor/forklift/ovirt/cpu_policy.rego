# Two pinning policies have no counterpart.
package io.konveyor.forklift.ovirt

import rego.v1

concerns contains {
	"id": "ovirt.cpu.pinning_policy.unsupported",
	"category": "Warning",
	"label": "Unsupported CPU pinning policy detected",
	"assessment": "The CPU pinning policies resize_and_pin_numa and isolate_threads are not supported by the target. The VM is migrated without pinning.",
} if {
	regex.match(`resize_and_pin_numa|isolate_threads`, input.cpuPinningPolicy)
}
