# The version of these rules. The inventory judges every VM again when it differs from the version it judged with.
package io.konveyor.forklift.vmware

import rego.v1

RULES_VERSION := 5

rules_version := {"rules_version": RULES_VERSION}
