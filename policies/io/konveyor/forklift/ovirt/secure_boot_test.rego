package io.konveyor.forklift.ovirt

import rego.v1

test_secure_boot_fires_1 if "ovirt.secure_boot.detected" in concern_ids with input as {"name": "a", "bios": "q35_secure_boot"}

test_secure_boot_is_silent_1 if not "ovirt.secure_boot.detected" in concern_ids with input as {"name": "a", "bios": "q35_ovmf"}
