# USB redirection belongs to oVirt's console.
package io.konveyor.forklift.ovirt

import rego.v1

concerns contains {
	"id": "ovirt.usb.enabled",
	"category": "Warning",
	"label": "USB support enabled",
	"assessment": "USB support of the console is not migrated.",
} if {
	input.usbEnabled == true
}
