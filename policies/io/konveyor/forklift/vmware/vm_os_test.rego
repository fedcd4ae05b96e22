package io.konveyor.forklift.vmware

import rego.v1

test_vm_os_fires_1 if "vmware.os.unsupported" in concern_ids with input as {"name": "a", "guestId": "solaris10_64Guest", "guestName": "Oracle Solaris 10"}

test_vm_os_fires_2 if "vmware.os.unsupported" in concern_ids with input as {"name": "a", "guestName": "Red Hat Enterprise Linux 6 (64-bit)"}

test_vm_os_is_silent_1 if not "vmware.os.unsupported" in concern_ids with input as {"name": "a", "guestName": "Red Hat Enterprise Linux 9 (64-bit)"}

test_vm_os_is_silent_2 if not "vmware.os.unsupported" in concern_ids with input as {"name": "a", "guestId": "rhel8_64Guest"}

test_vm_os_is_silent_3 if not "vmware.os.unsupported" in concern_ids with input as {"name": "a", "guestName": "Microsoft Windows Server 2022 (64-bit)"}

test_vm_os_is_silent_4 if not "vmware.os.unsupported" in concern_ids with input as {"name": "a"}
