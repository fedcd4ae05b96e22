# Shares weigh VMs of one host against each other.
package io.konveyor.forklift.ovirt

import rego.v1

concerns contains {
	"id": "ovirt.cpu.shares.defined",
	"category": "Warning",
	"label": "VM has CPU Shares Defined",
	"assessment": "CPU shares is not supported by the target. The VM is migrated without them; use requests and limits instead.",
} if {
	input.cpuShares > 0
}
