"""A plan whose provider has a VDDK: it reads the disks where it works, and where it does not they arrive without it."""
import pathlib
import random
import shutil

import pytest

from harness import manifests, waiting
from harness.cluster import condition_of

MEBIBYTE = 1 << 20
SECTOR = 512


@pytest.fixture(scope="module")
def vcenter(new_vcenter, tmp_path_factory):
    """Two VMs that are off; the password is the one that the VDDK of the tests accepts."""
    home, vms = tmp_path_factory.mktemp("disks"), []
    for number in range(2):
        disk = home / f"{number}.raw"
        disk.write_bytes(random.Random(number).randbytes(5 * MEBIBYTE + SECTOR))
        vms.append({"name": f"vm{number}", "powerOn": False, "memoryMB": 64, "cpus": 1, "disks": [{"file": str(disk)}]})
    return new_vcenter(vms=vms, password="secret")


def make_vddk(folder, gantry, disk):
    """The VDDK of the tests, unpacked; what it reads lies beside it, as its directory is all that the importer sees."""
    library = folder / "lib64/libvixDiskLib.so.8"
    library.parent.mkdir(parents=True)
    shutil.copyfile(pathlib.Path(gantry).resolve().parents[1] / "src/copy/libvddk-dummy.so", library)
    shutil.copyfile(disk, folder / "disk.raw")
    (folder / "dummy.conf").write_text("DUMMY_FILE=/opt/vmware-vix-disklib-distrib/disk.raw\nDUMMY_DELAY_MS=5\n")
    return folder


def migrate(cluster, vcenter, name, vm, vddk):
    """Gives the task of the VM's disk."""
    kubectl = cluster.kubectl
    provider = manifests.provider(name, vcenter.url)
    provider["spec"]["settings"] = {"vddkInitImage": str(vddk)}
    kubectl.apply(manifests.secret(name, vcenter.user, vcenter.password, thumbprint=vcenter.sha1), provider)
    kubectl.condition("provider", name, "Ready")
    kubectl.apply(manifests.network_map(name, name, [({"name": "VM Network"}, "pod")]),
                  manifests.storage_map(name, name, [{"name": store} for store in vcenter.datastores]))
    kubectl.condition("networkmap", name, "Ready")
    kubectl.condition("storagemap", name, "Ready")
    kubectl.apply(manifests.plan(name, name, [{"name": vm}], network=name, storage=name, skipGuestConversion=True, targetPowerState="off"))
    kubectl.condition("plan", name, "Ready")
    kubectl.apply(manifests.migration(name, name))
    waiting.until(f"the end of {name}", lambda: any(condition_of(kubectl.get("migration", name), state) for state in ("Succeeded", "Failed")), waiting.LONG)
    status = kubectl.get("plan", name)["status"]["migration"]["vms"][0]
    assert condition_of(kubectl.get("migration", name), "Succeeded"), status
    return next(step for step in status["pipeline"] if step["name"] == "DiskTransfer")["tasks"][0]


def test_the_vddk_reads_the_disk(cluster, vcenter, gantry, tmp_path):
    task = migrate(cluster, vcenter, "vddk", "vm0", make_vddk(tmp_path / "vddk", gantry, vcenter.file("vm0", 0)))
    assert task["annotations"]["readBy"].startswith("vddk: transport file, asynchronous reads"), task
    assert task["annotations"]["readBack"] == "equal"
    assert vcenter.reads("vm0", 0)["requests"] == 0


def test_a_vddk_that_cannot_be_loaded_is_done_without(cluster, vcenter, tmp_path):
    task = migrate(cluster, vcenter, "no-vddk", "vm1", tmp_path)
    assert task["annotations"]["readBy"].startswith("https:") and "not by vddk" in task["annotations"]["readBy"], task
    assert vcenter.reads("vm1", 0)["requests"] > 0
