# A name in the target is a DNS label.
package io.konveyor.forklift.ovirt

import rego.v1

default valid_vm_name := false

valid_vm_name if {
	regex.match(`^[A-Za-z0-9]([-A-Za-z0-9.]*[A-Za-z0-9])?$`, input.name)
	count(input.name) < 64
}

concerns contains {
	"id": "ovirt.name.invalid",
	"category": "Warning",
	"label": "Invalid VM Name",
	"assessment": "The name of a VM in the target has to be a DNS-1123 label of at most 63 characters: letters, digits, dots and hyphens, with a letter or a digit at both ends. The VM is renamed by the migration.",
} if {
	is_string(input.name)
	not valid_vm_name
}
