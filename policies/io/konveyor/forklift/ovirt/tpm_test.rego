package io.konveyor.forklift.ovirt

import rego.v1

test_tpm_fires_1 if "ovirt.tpm.required_by_os" in concern_ids with input as {"name": "a", "osType": "windows_11"}

test_tpm_is_silent_1 if not "ovirt.tpm.required_by_os" in concern_ids with input as {"name": "a", "osType": "rhel_8x64"}
