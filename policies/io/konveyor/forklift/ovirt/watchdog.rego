# A watchdog resets a guest that hangs.
package io.konveyor.forklift.ovirt

import rego.v1

concerns contains {
	"id": "ovirt.watchdog.enabled",
	"category": "Warning",
	"label": "Watchdog detected",
	"assessment": "Watchdog devices are not migrated. Use liveness probes in the target.",
} if {
	count(input.watchDogs) > 0
}
