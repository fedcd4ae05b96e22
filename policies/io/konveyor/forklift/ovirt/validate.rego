# What the inventory asks for: every concern about the VM in the input, and what is wrong with the input itself.
package io.konveyor.forklift.ovirt

import rego.v1

default valid_input := false

valid_input if is_string(input.name)

errors contains "No VM name found in input body" if not valid_input

validate := {
	"rules_version": RULES_VERSION,
	"errors": errors,
	"concerns": concerns,
}
