package io.konveyor.forklift.vmware

import rego.v1

test_ha_enabled_fires_1 if "vmware.ha.enabled" in concern_ids with input as {"name": "a", "host": {"cluster": {"dasEnabled": true}}}

test_ha_enabled_is_silent_1 if not "vmware.ha.enabled" in concern_ids with input as {"name": "a", "host": {"cluster": {"dasEnabled": false}}}
