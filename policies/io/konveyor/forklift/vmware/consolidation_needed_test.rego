package io.konveyor.forklift.vmware

import rego.v1

test_consolidation_needed_fires_1 if "vmware.consolidation_needed" in concern_ids with input as {"name": "a", "consolidationNeeded": true}

test_consolidation_needed_is_silent_1 if not "vmware.consolidation_needed" in concern_ids with input as {"name": "a", "consolidationNeeded": false}
