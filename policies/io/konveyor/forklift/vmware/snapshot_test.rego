package io.konveyor.forklift.vmware

import rego.v1

test_snapshot_fires_1 if "vmware.snapshot.detected" in concern_ids with input as {"name": "a", "snapshot": {"kind": "VirtualMachineSnapshot", "id": "snapshot-1"}}

test_snapshot_is_silent_1 if not "vmware.snapshot.detected" in concern_ids with input as {"name": "a", "snapshot": {"kind": "", "id": ""}}
