package io.konveyor.forklift.vmware

import rego.v1

test_disk_serial_numbers_fires_1 if "vmware.disk_serial.truncated" in concern_ids with input as {"name": "a", "diskEnableUuid": true, "disks": [{"bus": "scsi"}]}

test_disk_serial_numbers_is_silent_1 if not "vmware.disk_serial.truncated" in concern_ids with input as {"name": "a", "diskEnableUuid": false, "disks": [{"bus": "scsi"}]}

test_disk_serial_numbers_is_silent_2 if not "vmware.disk_serial.truncated" in concern_ids with input as {"name": "a", "diskEnableUuid": true, "disks": [{"bus": "nvme"}]}
