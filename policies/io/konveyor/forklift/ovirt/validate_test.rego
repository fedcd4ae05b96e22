package io.konveyor.forklift.ovirt

import rego.v1

# What the tests beside the rules look at.
concern_ids contains concern.id if some concern in concerns

test_an_input_without_a_name_is_an_error if count(validate.errors) == 1 with input as {"id": "x"}

test_a_plain_vm_has_no_errors if count(validate.errors) == 0 with input as {"name": "plain"}

test_the_version_comes_with_the_verdict if validate.rules_version == 6 with input as {"name": "plain"}

concerns_are_complete if {
	count(concerns) > 0
	every concern in concerns {
		concern.category in {"Critical", "Warning", "Information"}
		concern.label != ""
		concern.assessment != ""
	}
}

test_every_concern_is_complete if concerns_are_complete with input as {"name": "Not A Name", "cpuAffinity": [1]}
