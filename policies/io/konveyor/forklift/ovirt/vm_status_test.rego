package io.konveyor.forklift.ovirt

import rego.v1

test_vm_status_fires_1 if "ovirt.vm.status_invalid" in concern_ids with input as {"name": "a", "status": "image_locked"}

test_vm_status_is_silent_1 if not "ovirt.vm.status_invalid" in concern_ids with input as {"name": "a", "status": "down"}
