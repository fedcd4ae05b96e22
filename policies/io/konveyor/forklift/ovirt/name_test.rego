package io.konveyor.forklift.ovirt

import rego.v1

test_name_fires_1 if "ovirt.name.invalid" in concern_ids with input as {"name": "my_vm"}

test_name_is_silent_1 if not "ovirt.name.invalid" in concern_ids with input as {"name": "my-vm"}
