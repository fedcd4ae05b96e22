# A serial number in the target has 20 characters.
package io.konveyor.forklift.vmware

import rego.v1

concerns contains {
	"id": "vmware.disk_serial.truncated",
	"category": "Information",
	"label": "Disk serial numbers may be truncated",
	"assessment": "The guest sees the serial numbers of its disks. In the target they are cut to 20 characters, so what refers to them by serial number may have to be changed.",
} if {
	input.diskEnableUuid == true
	some disk in input.disks
	disk.bus == "scsi"
}
