# Distributed resource scheduling moves VMs between hosts.
package io.konveyor.forklift.vmware

import rego.v1

concerns contains {
	"id": "vmware.drs.enabled",
	"category": "Information",
	"label": "VM running in a DRS-enabled cluster",
	"assessment": "Distributed resource scheduling is not supported by the target. The VM is migrated without this feature of its cluster.",
} if {
	input.host.cluster.drsEnabled == true
}
