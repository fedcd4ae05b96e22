# The conversion is tried with some operating systems only.
package io.konveyor.forklift.vmware

import rego.v1

# What the guest tools say counts more than what the VM was set up for.
guest_os := concat(" ", [object.get(input, "guestId", ""), os_name]) if {
	os_name := preferred_name
	concat("", [object.get(input, "guestId", ""), os_name]) != ""
}

preferred_name := input.guestNameFromVmwareTools if {
	object.get(input, "guestNameFromVmwareTools", "") != ""
} else := object.get(input, "guestName", "")

concerns contains {
	"id": "vmware.os.unsupported",
	"category": "Warning",
	"label": "Unsupported operating system detected",
	"assessment": "This guest operating system is not on the list of those that the conversion is tested with. The VM may need changes by hand afterwards.",
} if {
	os := guest_os
	not regex.match(`(?i)red hat enterprise linux ([789]|10)|rhel_?([789]|10)|rhel([789]|10)_64|windows (10|11)|windows.*(2016|2019|2022|2025)|windows9_64|windows11_64|windows(9|2019srv|2019srvnext|2022srvnext)`, os)
}
