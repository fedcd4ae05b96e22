package io.konveyor.forklift.ovirt

import rego.v1

test_watchdog_fires_1 if "ovirt.watchdog.enabled" in concern_ids with input as {"name": "a", "watchDogs": [{"id": "w"}]}

test_watchdog_is_silent_1 if not "ovirt.watchdog.enabled" in concern_ids with input as {"name": "a", "watchDogs": []}
