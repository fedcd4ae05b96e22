"""Fixtures of the tests of source/: the vCenter of the tests, and the probe that calls the room's functions."""
import os
import pathlib
import random
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests/source")]
from harness.vcenter import Vcenter  # noqa: E402  pylint: disable=wrong-import-position
from probing import MIB, SIZE, Probe  # noqa: E402  pylint: disable=wrong-import-position


@pytest.fixture(scope="session", name="binaries")
def find_binaries():
    return pathlib.Path(os.environ.get("GANTRY_BINARY", ROOT / "build-asan/src/gantry")).resolve().parents[1]


@pytest.fixture(scope="module", name="vcenter")
def start_vcenter(tmp_path_factory):
    """Two running VMs, whose deltas are of either format."""
    folder = tmp_path_factory.mktemp("vcenter")
    randoms = random.Random(11)
    vms = []
    for name, deltas in (("new", "seSparse"), ("old", "vmfsSparse")):
        disk = folder / f"{name}.raw"
        with open(disk, "wb") as file:
            file.truncate(SIZE)
            for at in range(0, 20 * MIB, 2 * MIB):
                file.seek(at)
                file.write(randoms.randbytes(MIB // 2))
        vms.append({"name": name, "powerOn": True, "deltas": deltas, "disks": [{"file": str(disk)}]})
    made = Vcenter(folder / "peer", {"vms": vms})
    yield made
    made.stop()


@pytest.fixture(name="probe")
def start_probe(binaries, vcenter):
    made = Probe(binaries / "tests/source/source-probe", vcenter)
    yield made
    made.close()


@pytest.fixture(params=["new", "old"], name="vm")
def choose_vm(request, vcenter, probe):
    """A running VM without snapshots, whose changes are tracked."""
    vm = vcenter.vms[request.param]
    probe("track", vm, owner="test")
    yield vm
    vcenter.lift()
    vcenter.guest(vm, stop=True)
    for snapshot in probe("snapshots", vm)["snapshots"]:
        probe("remove", vm, snapshot=snapshot["id"])
    probe("settle", vm)
