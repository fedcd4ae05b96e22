"""Limits of the bandwidth: of a plan, of a host and of all, changed while a disk is copied."""
import pathlib

import pytest

from harness import waiting
from harness.migration import Run, sha256, sha256_padded

SIZE = 192 << 20


@pytest.fixture(scope="module")
def vcenter(new_vcenter, random_disk, tmp_path_factory):
    disk = random_disk(tmp_path_factory.mktemp("disks") / "disk.raw", SIZE // 512)
    return new_vcenter(vms=[{"name": "slow", "disks": [{"file": str(disk)}], "nics": []}])


def test_limits_hold_and_change_while_a_disk_is_copied(cluster, vcenter):
    """Without a clock: at the lowest limit the copy would take minutes; its states are seen on the way, and it ends when nothing limits it."""
    kubectl = cluster.kubectl
    run = Run(cluster, vcenter, "slow", "limited")
    run.prepare()

    def limit_plan(text):
        kubectl("annotate", "plan", run.name, "-n", "openshift-mtv", "--overwrite", f"gantry.io/bandwidth-limit={text}")

    def limit_all(value):
        kubectl("patch", "forkliftcontroller", "forklift-controller", "-n", "openshift-mtv", "--type=merge", "-p",
                f'{{"spec": {{"controller_bandwidth_limit_per_host": {value}}}}}')

    def says(text):
        def reason():
            step = run.step("DiskTransfer")
            return step["tasks"][0].get("reason", "") if step and step["tasks"] else ""
        waiting.until(lambda: f"{text!r}, but {reason()!r}", lambda: text in reason())

    limit_plan("fast")
    kubectl.condition("plan", run.name, "BandwidthLimitNotValid")
    limit_plan("500k")
    run.start()
    says("Limited to 0.5 MB/s by its plan")
    limit_plan("600k")
    says("Limited to 0.6 MB/s by its plan")
    limit_all('"400k"')
    says("Limited to 0.4 MB/s by its host")
    assert vcenter.reads("slow", 0)["bytes"] < SIZE, "a limit that is said must hold"
    limit_all("null")
    limit_plan("")
    run.finish()
    target = pathlib.Path(run.target_disks()[0])
    assert sha256(target) == sha256_padded(vcenter.file("slow", 0), target.stat().st_size)
