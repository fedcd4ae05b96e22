package io.konveyor.forklift.ovirt

import rego.v1

test_display_type_fires_1 if "ovirt.display_type.spice.enabled" in concern_ids with input as {"name": "a", "display": "spice"}

test_display_type_is_silent_1 if not "ovirt.display_type.spice.enabled" in concern_ids with input as {"name": "a", "display": "vnc"}
