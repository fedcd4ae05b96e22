package io.konveyor.forklift.vmware

import rego.v1

test_changed_block_tracking_fires_1 if "vmware.changed_block_tracking.disabled" in concern_ids with input as {"name": "a", "changeTrackingEnabled": false}

test_changed_block_tracking_is_silent_1 if not "vmware.changed_block_tracking.disabled" in concern_ids with input as {"name": "a", "changeTrackingEnabled": true}

test_changed_block_tracking_is_silent_2 if not "vmware.changed_block_tracking.disabled" in concern_ids with input as {"name": "a"}
