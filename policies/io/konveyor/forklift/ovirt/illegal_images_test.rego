package io.konveyor.forklift.ovirt

import rego.v1

test_illegal_images_fires_1 if "ovirt.disk.illegal_images.detected" in concern_ids with input as {"name": "a", "hasIllegalImages": true}

test_illegal_images_is_silent_1 if not "ovirt.disk.illegal_images.detected" in concern_ids with input as {"name": "a", "hasIllegalImages": false}
