package io.konveyor.forklift.vmware

import rego.v1

test_datastore_fires_1 if "vmware.datastore.missing" in concern_ids with input as {"name": "a", "disks": [{"datastore": {"id": ""}}]}

test_datastore_is_silent_1 if not "vmware.datastore.missing" in concern_ids with input as {"name": "a", "disks": [{"datastore": {"id": "datastore-1"}}]}
