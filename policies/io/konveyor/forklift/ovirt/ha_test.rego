package io.konveyor.forklift.ovirt

import rego.v1

test_ha_fires_1 if "ovirt.ha.enabled" in concern_ids with input as {"name": "a", "haEnabled": true}

test_ha_is_silent_1 if not "ovirt.ha.enabled" in concern_ids with input as {"name": "a", "haEnabled": false}
