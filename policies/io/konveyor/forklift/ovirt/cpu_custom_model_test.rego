package io.konveyor.forklift.ovirt

import rego.v1

test_cpu_custom_model_fires_1 if "ovirt.cpu.custom_model.detected" in concern_ids with input as {"name": "a", "customCpuModel": "Skylake-Client"}

test_cpu_custom_model_is_silent_1 if not "ovirt.cpu.custom_model.detected" in concern_ids with input as {"name": "a", "customCpuModel": ""}
