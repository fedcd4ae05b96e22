package io.konveyor.forklift.vmware

import rego.v1

test_fault_tolerance_fires_1 if "vmware.fault_tolerance.enabled" in concern_ids with input as {"name": "a", "faultToleranceEnabled": true}

test_fault_tolerance_is_silent_1 if not "vmware.fault_tolerance.enabled" in concern_ids with input as {"name": "a", "faultToleranceEnabled": false}
