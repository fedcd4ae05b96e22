package io.konveyor.forklift.ovirt

import rego.v1

test_bios_boot_menu_fires_1 if "ovirt.bios.boot_menu.enabled" in concern_ids with input as {"name": "a", "bootMenuEnabled": true}

test_bios_boot_menu_is_silent_1 if not "ovirt.bios.boot_menu.enabled" in concern_ids with input as {"name": "a", "bootMenuEnabled": false}
