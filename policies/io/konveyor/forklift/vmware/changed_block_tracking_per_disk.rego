# A VM may track changes while one of its disks does not.
package io.konveyor.forklift.vmware

import rego.v1

concerns contains {
	"id": "vmware.changed_block_tracking.disk.disabled",
	"category": "Warning",
	"label": sprintf("Disk - %s%d:%d does not have CBT enabled", [disk.bus, disk.controllerKey % 100, disk.unitNumber]),
	"assessment": "Changed Block Tracking is off for this disk. It is needed on each disk for warm migration.",
} if {
	some disk in input.disks
	disk.changeTrackingEnabled == false
}
