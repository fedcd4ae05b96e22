package io.konveyor.forklift.vmware

import rego.v1

test_drs_enabled_fires_1 if "vmware.drs.enabled" in concern_ids with input as {"name": "a", "host": {"cluster": {"drsEnabled": true}}}

test_drs_enabled_is_silent_1 if not "vmware.drs.enabled" in concern_ids with input as {"name": "a", "host": {"cluster": {"drsEnabled": false}}}
