# Cards of other models are attached as virtio.
package io.konveyor.forklift.ovirt

import rego.v1

concerns contains {
	"id": "ovirt.nic.interface_type.unsupported",
	"category": "Warning",
	"label": "Unsupported NIC interface type detected",
	"assessment": "A NIC interface other than e1000, rtl8139 and virtio is not supported by the target. The NIC is attached as virtio.",
} if {
	some nic in input.nics
	not regex.match(`e1000|rtl8139|virtio`, nic.interface)
}
