package io.konveyor.forklift.vmware

import rego.v1

test_dpm_enabled_fires_1 if "vmware.dpm.enabled" in concern_ids with input as {"name": "a", "host": {"cluster": {"dpmEnabled": true}}}

test_dpm_enabled_is_silent_1 if not "vmware.dpm.enabled" in concern_ids with input as {"name": "a", "host": {"cluster": {"dpmEnabled": false}}}
