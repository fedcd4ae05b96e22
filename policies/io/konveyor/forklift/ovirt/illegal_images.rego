# oVirt itself marks the images as broken.
package io.konveyor.forklift.ovirt

import rego.v1

concerns contains {
	"id": "ovirt.disk.illegal_images.detected",
	"category": "Critical",
	"label": "Illegal disk images detected",
	"assessment": "The VM has illegal disk images, so their transfer is likely to fail. Mend or remove them in oVirt.",
} if {
	input.hasIllegalImages == true
}
