# A processor model of the VM's own may be unknown in the target.
package io.konveyor.forklift.ovirt

import rego.v1

concerns contains {
	"id": "ovirt.cpu.custom_model.detected",
	"category": "Warning",
	"label": "Custom CPU Model detected",
	"assessment": "The VM has a custom CPU model. It is kept; the VM starts only on nodes that offer it.",
} if {
	input.customCpuModel != ""
}
