package io.konveyor.forklift.vmware

import rego.v1

test_name_fires_1 if "vmware.vm.name.invalid" in concern_ids with input as {"name": "my_vm"}

test_name_fires_2 if "vmware.vm.name.invalid" in concern_ids with input as {"name": "-vm"}

test_name_fires_3 if "vmware.vm.name.invalid" in concern_ids with input as {"name": "a234567890123456789012345678901234567890123456789012345678901234"}

test_name_is_silent_1 if not "vmware.vm.name.invalid" in concern_ids with input as {"name": "my-vm"}

test_name_is_silent_2 if not "vmware.vm.name.invalid" in concern_ids with input as {"name": "a"}
