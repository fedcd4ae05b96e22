package io.konveyor.forklift.vmware

import rego.v1

test_changed_block_tracking_per_disk_fires_1 if "vmware.changed_block_tracking.disk.disabled" in concern_ids with input as {"name": "a", "disks": [{"bus": "scsi", "controllerKey": 1000, "unitNumber": 1, "changeTrackingEnabled": false}]}

test_changed_block_tracking_per_disk_is_silent_1 if not "vmware.changed_block_tracking.disk.disabled" in concern_ids with input as {"name": "a", "disks": [{"bus": "scsi", "controllerKey": 1000, "unitNumber": 1, "changeTrackingEnabled": true}]}
