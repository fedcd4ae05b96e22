# A network card that is a part of the host's own.
package io.konveyor.forklift.vmware

import rego.v1

concerns contains {
	"id": "vmware.device.sriov.detected",
	"category": "Warning",
	"label": "SR-IOV passthrough adapter configuration detected",
	"assessment": "SR-IOV adapters are not migrated. Configure an SR-IOV network in the target and attach the VM to it afterwards.",
} if {
	some device in input.devices
	device.kind == "VirtualSriovEthernetCard"
}
