package io.konveyor.forklift.vmware

import rego.v1

test_hostname_fires_1 if "vmware.hostname.empty" in concern_ids with input as {"name": "a", "hostName": ""}

test_hostname_fires_2 if "vmware.hostname.default" in concern_ids with input as {"name": "a", "hostName": "localhost.localdomain"}

test_hostname_is_silent_1 if not "vmware.hostname.empty" in concern_ids with input as {"name": "a", "hostName": "db1"}

test_hostname_is_silent_2 if not "vmware.hostname.default" in concern_ids with input as {"name": "a", "hostName": "db1"}
