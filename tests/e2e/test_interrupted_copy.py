"""Gantry is killed while a disk is half copied: it goes on from the journal, and the journal never lies."""
import pathlib
import re

import pytest

from harness import waiting
from harness.migration import Run, sha256, sha256_padded

SIZE = 160 << 20


@pytest.fixture
def vcenter(new_vcenter, tiny_guest, random_disk, tmp_path):
    """One VM whose second disk stops half-way."""
    boot = tiny_guest(tmp_path / "boot.raw", extra_sectors=1)
    data = random_disk(tmp_path / "data.raw", SIZE // 512 + 5)
    vcenter = new_vcenter(vms=[{"name": "half", "powerOn": True, "memoryMB": 128, "hostName": "half",
                                "disks": [{"file": str(boot)}, {"file": str(data)}],
                                "nics": [{"network": "VM Network", "mac": "00:50:56:0b:00:01"}]}])
    vcenter.fault("hold-after", match="half_1-flat", bytes=SIZE // 2, count=-1)
    return vcenter


def half_way(run):
    """The migration stands with half of the second disk read."""
    run.cluster.allow("cannot watch", "is tried again")  # said while the API is away
    run.prepare().start()
    waiting.until("half of the disk", lambda: run.vcenter.log()["held"] > 0 and run.vcenter.reads("half", 0)["bytes"] > 0, waiting.LONG)
    # What has left the source is also in the target once the copier has said so.
    waiting.until("progress of the copy", lambda: any(
        task.get("progress", {}).get("completed", 0) > SIZE // 4 >> 20 for task in run.step("DiskTransfer")["tasks"][1:]))


def check_target(run):
    run.finish()
    run.booted()
    run.stop_machine()
    for index, image in enumerate(map(pathlib.Path, run.target_disks())):
        assert sha256(image) == sha256_padded(run.vcenter.file("half", index), image.stat().st_size)


def test_it_goes_on_when_gantry_up_was_killed(own_cluster, vcenter):
    run = Run(own_cluster, vcenter, "half", "killed")
    half_way(run)
    lines = [line for line in own_cluster.logs_of("default", "forklift.app=importer").splitlines() if not line.startswith("{")]
    assert lines and all(re.search(r" plan=openshift-mtv/killed vm=vm-\d+$", line) for line in lines), lines
    own_cluster.kill()
    own_cluster.start()
    vcenter.lift("hold-after")
    check_target(run)
    assert vcenter.reads("half", 1)["twice"] < vcenter.file("half", 1).stat().st_size / 10


def test_it_goes_on_when_everything_was_killed(own_cluster, vcenter):
    run = Run(own_cluster, vcenter, "half", "crashed")
    half_way(run)
    own_cluster.crash()
    vcenter.lift("hold-after")
    own_cluster.start()
    check_target(run)
    assert vcenter.reads("half", 1)["twice"] < vcenter.file("half", 1).stat().st_size / 10


def test_what_the_source_wrote_in_between_is_copied(own_cluster, vcenter):
    run = Run(own_cluster, vcenter, "half", "written")
    half_way(run)
    own_cluster.crash()
    vcenter.lift("hold-after")
    vcenter.power("half", "on")
    for offset in (4096, SIZE // 4, SIZE // 2 + 12345, SIZE - 700):
        vcenter.write("half", 2001, offset, b"written after the copy began " * 20)
    vcenter.power("half", "off")
    own_cluster.start()
    check_target(run)
