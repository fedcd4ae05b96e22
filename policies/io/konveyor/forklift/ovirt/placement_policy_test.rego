package io.konveyor.forklift.ovirt

import rego.v1

test_placement_policy_fires_1 if "ovirt.placement_policy.affinity_set" in concern_ids with input as {"name": "a", "placementPolicyAffinity": "migratable"}

test_placement_policy_is_silent_1 if not "ovirt.placement_policy.affinity_set" in concern_ids with input as {"name": "a", "placementPolicyAffinity": "pinned"}
