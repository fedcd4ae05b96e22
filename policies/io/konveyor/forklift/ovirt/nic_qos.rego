# Quality of service is a setting of the vNIC profile.
package io.konveyor.forklift.ovirt

import rego.v1

concerns contains {
	"id": "ovirt.nic.qos.detected",
	"category": "Warning",
	"label": "NIC with QoS settings detected",
	"assessment": "The quality-of-service settings of a vNIC profile are not migrated.",
} if {
	some nic in input.nics
	nic.profile.qos != ""
}
