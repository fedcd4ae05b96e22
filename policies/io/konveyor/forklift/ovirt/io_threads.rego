# I/O threads are set up anew in the target.
package io.konveyor.forklift.ovirt

import rego.v1

concerns contains {
	"id": "ovirt.iothreads.configured",
	"category": "Information",
	"label": "IO Threads configuration detected",
	"assessment": "The VM has more than one I/O thread. This setting is not migrated.",
} if {
	input.ioThreads > 1
}
