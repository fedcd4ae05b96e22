package io.konveyor.forklift.ovirt

import rego.v1

test_online_snapshot_fires_1 if "ovirt.snapshot.online_memory.detected" in concern_ids with input as {"name": "a", "snapshots": [{"persistMemory": true}]}

test_online_snapshot_is_silent_1 if not "ovirt.snapshot.online_memory.detected" in concern_ids with input as {"name": "a", "snapshots": [{"persistMemory": false}]}
