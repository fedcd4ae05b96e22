# Devices on a USB controller belong to the host.
package io.konveyor.forklift.vmware

import rego.v1

concerns contains {
	"id": "vmware.usb_controller.detected",
	"category": "Warning",
	"label": "USB controller detected",
	"assessment": "USB controllers and the devices attached to them are not migrated.",
} if {
	some device in input.devices
	device.kind == "VirtualUSBController"
}
