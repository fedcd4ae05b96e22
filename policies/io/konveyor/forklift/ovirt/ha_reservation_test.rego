package io.konveyor.forklift.ovirt

import rego.v1

test_ha_reservation_fires_1 if "ovirt.ha.reservation.enabled" in concern_ids with input as {"name": "a", "cluster": {"haReservation": true}}

test_ha_reservation_is_silent_1 if not "ovirt.ha.reservation.enabled" in concern_ids with input as {"name": "a", "cluster": {"haReservation": false}}
