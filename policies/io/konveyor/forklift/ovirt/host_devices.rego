# A device of the host cannot follow the VM.
package io.konveyor.forklift.ovirt

import rego.v1

concerns contains {
	"id": "ovirt.host_devices.mapped",
	"category": "Warning",
	"label": "VM has mapped host devices",
	"assessment": "Host devices are not migrated. Attach devices of the target afterwards.",
} if {
	count(input.hostDevices) > 0
}
