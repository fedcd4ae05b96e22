package io.konveyor.forklift.ovirt

import rego.v1

test_ksm_fires_1 if "ovirt.cluster.ksm_enabled" in concern_ids with input as {"name": "a", "cluster": {"ksmEnabled": true}}

test_ksm_is_silent_1 if not "ovirt.cluster.ksm_enabled" in concern_ids with input as {"name": "a", "cluster": {"ksmEnabled": false}}
