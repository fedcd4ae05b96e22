package io.konveyor.forklift.ovirt

import rego.v1

test_vm_os_fires_1 if "ovirt.os.unsupported" in concern_ids with input as {"name": "a", "osType": "rhel_6x64"}

test_vm_os_is_silent_1 if not "ovirt.os.unsupported" in concern_ids with input as {"name": "a", "osType": "rhel_9x64"}
