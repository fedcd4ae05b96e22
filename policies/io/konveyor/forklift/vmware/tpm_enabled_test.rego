package io.konveyor.forklift.vmware

import rego.v1

test_tpm_enabled_fires_1 if "vmware.tpm.detected" in concern_ids with input as {"name": "a", "tpmEnabled": true}

test_tpm_enabled_is_silent_1 if not "vmware.tpm.detected" in concern_ids with input as {"name": "a", "tpmEnabled": false}
