# Static addresses are kept only when they are known.
package io.konveyor.forklift.vmware

import rego.v1

concerns contains {
	"id": "vmware.vm_missing_ip.detected",
	"category": "Warning",
	"label": "VM is missing IP addresses",
	"assessment": "The guest tools show no IP addresses. To keep static addresses the VM has to run with its tools before the migration.",
} if {
	count(input.guestNetworks) == 0
}
