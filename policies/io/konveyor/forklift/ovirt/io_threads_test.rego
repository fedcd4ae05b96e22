package io.konveyor.forklift.ovirt

import rego.v1

test_io_threads_fires_1 if "ovirt.iothreads.configured" in concern_ids with input as {"name": "a", "ioThreads": 2}

test_io_threads_is_silent_1 if not "ovirt.iothreads.configured" in concern_ids with input as {"name": "a", "ioThreads": 1}
