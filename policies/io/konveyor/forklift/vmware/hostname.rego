# A guest without a host name of its own may get another one in the target.
package io.konveyor.forklift.vmware

import rego.v1

concerns contains {
	"id": "vmware.hostname.empty",
	"category": "Warning",
	"label": "Empty Host Name",
	"assessment": "The guest shows no host name. It may be given another one when it starts in the target.",
} if {
	input.hostName == ""
}

concerns contains {
	"id": "vmware.hostname.default",
	"category": "Warning",
	"label": "Default Host Name",
	"assessment": "The host name of the guest is the default one. It may be given another one when it starts in the target.",
} if {
	input.hostName == "localhost.localdomain"
}
