package io.konveyor.forklift.vmware

import rego.v1

test_uefi_boot_fires_1 if "vmware.uefi_boot.detected" in concern_ids with input as {"name": "a", "firmware": "efi"}

test_uefi_boot_is_silent_1 if not "vmware.uefi_boot.detected" in concern_ids with input as {"name": "a", "firmware": "bios"}
