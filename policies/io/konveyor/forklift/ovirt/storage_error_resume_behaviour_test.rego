package io.konveyor.forklift.ovirt

import rego.v1

test_storage_error_resume_behaviour_fires_1 if "ovirt.storage.resume_behavior.unsupported" in concern_ids with input as {"name": "a", "storageErrorResumeBehaviour": "leave_paused"}

test_storage_error_resume_behaviour_is_silent_1 if not "ovirt.storage.resume_behavior.unsupported" in concern_ids with input as {"name": "a", "storageErrorResumeBehaviour": "auto_resume"}
