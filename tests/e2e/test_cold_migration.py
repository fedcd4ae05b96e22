"""A running VM is taken out of vCenter and boots from its migrated disks; everything about it is compared."""
import json
import os
import pathlib
import subprocess

import pytest

from harness import manifests, waiting
from harness.migration import Run, sha256, sha256_padded
from harness.vcenter import build_peer, estate

MACS = ["00:50:56:0a:00:01", "00:50:56:0a:00:02"]
MEBIBYTE = 1 << 20


@pytest.fixture(scope="module")
def vcenter(new_vcenter, tiny_guest, tmp_path_factory):
    """One running VM: a boot disk and a disk of zeros, both of odd sizes, on two datastores, and two cards on two networks."""
    home = tmp_path_factory.mktemp("disks")
    boot = tiny_guest(home / "boot.raw", extra_sectors=3)
    zeros = home / "zeros.raw"
    zeros.touch()
    os.truncate(zeros, 10 * MEBIBYTE + 7 * 512)
    return new_vcenter(**estate(
        datastores=["datastore1", "second store"], networks=["Storage Network"],
        vms=[{"name": "tiny", "powerOn": True, "memoryMB": 128, "cpus": 1, "hostName": "tiny", "ipAddress": "192.0.2.10",
              "disks": [{"file": str(boot)}, {"file": str(zeros), "datastore": "second store"}],
              "nics": [{"network": "VM Network", "mac": MACS[0]}, {"network": "Storage Network", "mac": MACS[1]}]}]))


@pytest.fixture(scope="module")
def migrated(module_cluster, vcenter):
    """The migration, done; with what was so before it."""
    before = [sha256(vcenter.file("tiny", disk)) for disk in (0, 1)]
    run = Run(module_cluster, vcenter, "tiny", "cold").prepare().start()
    status = run.finish()
    boot = run.booted()
    run.stop_machine()
    return {"run": run, "status": status, "boot": boot, "before": before}


def test_the_plan_and_the_migration_have_succeeded(cluster, migrated):
    for kind in ("plan", "migration"):
        conditions = {c["type"]: c["status"] for c in cluster.kubectl.get(kind, "cold")["status"]["conditions"]}
        assert conditions.get("Succeeded") == "True" and "Failed" not in conditions


def test_the_pipeline_is_complete(cluster, migrated):
    status = migrated["status"]
    assert status["phase"] == "Completed" and "error" not in status
    assert [step["name"] for step in status["pipeline"]] == ["Initialize", "DiskTransfer", "VirtualMachineCreation"]
    for step in status["pipeline"]:
        assert step["phase"] == "Completed" and step["started"] and step["completed"], step
        assert step["progress"]["completed"] == step["progress"]["total"], step


def test_each_disk_has_a_task_with_its_verification(cluster, migrated, vcenter):
    transfer = next(step for step in migrated["status"]["pipeline"] if step["name"] == "DiskTransfer")
    assert transfer["annotations"]["unit"] == "MB"
    assert [task["name"] for task in transfer["tasks"]] == [disk["path"] for disk in vcenter.vms["tiny"]["disks"]]
    for index, task in enumerate(transfer["tasks"]):
        size = vcenter.file("tiny", index).stat().st_size
        assert task["annotations"]["readBack"] == "equal"
        assert task["annotations"]["bytes"] == str(size)
        assert task["annotations"]["hash"].startswith("xxh3-128:") and len(task["annotations"]["hash"]) == 9 + 32
        assert task["progress"]["total"] == -(-size // MEBIBYTE)


def test_the_target_disks_equal_the_source_to_the_byte(cluster, migrated, vcenter):
    images = [pathlib.Path(path) for path in migrated["run"].target_disks()]
    assert len(images) == 2
    for index, image in enumerate(images):
        size = image.stat().st_size
        assert size % MEBIBYTE == 0 and size - vcenter.file("tiny", index).stat().st_size < MEBIBYTE
        assert sha256(image) == sha256_padded(vcenter.file("tiny", index), size)
    assert images[1].stat().st_blocks * 512 < MEBIBYTE, "a disk of zeros takes no room"


def test_the_source_was_only_read_and_is_off(cluster, migrated, vcenter):
    assert [sha256(vcenter.file("tiny", disk)) for disk in (0, 1)] == migrated["before"]
    calls = vcenter.log()["calls"]
    assert calls.get("ShutdownGuest", 0) + calls.get("PowerOffVM_Task", 0) == 1
    changing = {"PowerOnVM_Task", "ReconfigVM_Task", "CreateSnapshot_Task", "CreateSnapshotEx_Task", "Destroy_Task", "Rename_Task"}
    assert not changing & set(calls), "nothing at the source is changed but the power"


def test_no_byte_was_read_twice(cluster, migrated, vcenter):
    for disk in (0, 1):
        reads = vcenter.reads("tiny", disk)
        size = vcenter.file("tiny", disk).stat().st_size
        assert reads["bytes"] - reads["twice"] == size and reads["twice"] < size / 10


def test_the_guest_found_its_cards_and_its_data_disk(cluster, migrated, vcenter):
    assert sorted(migrated["boot"]["macs"]) == MACS
    image = pathlib.Path(migrated["run"].target_disks()[1])
    assert migrated["boot"]["sums"] == [sha256_padded(vcenter.file("tiny", 1), image.stat().st_size)]


def test_the_virtual_machine_keeps_what_the_source_was(cluster, migrated, vcenter):
    spec = migrated["run"].machine()["spec"]["template"]["spec"]
    domain = spec["domain"]
    assert [card["macAddress"] for card in domain["devices"]["interfaces"]] == MACS
    assert [network.get("multus", {}).get("networkName") for network in spec["networks"]] == [
        None, f"default/{migrated['run'].bridge}"]
    assert len(domain["devices"]["disks"]) == 2 and "bios" in domain.get("firmware", {}).get("bootloader", {"bios": {}})
    memory = domain.get("memory", {}).get("guest") or domain["resources"]["requests"]["memory"]
    assert memory in ("128Mi", "134217728", str(128 * MEBIBYTE))


def test_the_manifest_says_what_was_copied(cluster, migrated, vcenter):
    run = migrated["run"]
    claims = run.claims("resource=state")
    assert len(claims) == 1
    state = pathlib.Path(run.volume(claims[0]["metadata"]["name"]))
    for index, disk in enumerate(vcenter.vms["tiny"]["disks"]):
        head, *runs, last = (state / f"{disk['key']}.manifest").read_text().splitlines()
        task = migrated["run"].step("DiskTransfer")["tasks"][index]
        manifest = json.loads(head)
        assert manifest["size"] == vcenter.file("tiny", index).stat().st_size and manifest["readBack"] == "equal"
        assert sum(int(run.split()[1]) for run in runs) == -(-manifest["size"] // manifest["chunkSize"])
        assert last.replace("digest ", manifest["hash"] + ":") == task["annotations"]["hash"]


def test_clients_see_it_all_with_kubectl(cluster, migrated):
    kubectl = cluster.kubectl
    assert "cold" in kubectl("get", "plans", "-n", "openshift-mtv")
    assert "tiny" in kubectl("get", "vms", "-n", "default")
    importers = kubectl.get("pod", namespace="default", selector="forklift.app=importer")
    assert len(importers) == 2 and all(pod["status"]["phase"] == "Succeeded" for pod in importers)
    assert all(pod["metadata"]["name"].startswith("importer-cold-") for pod in importers)


def test_a_clean_stop_leaves_no_session_behind(own_cluster, new_vcenter):
    """Every session that Gantry opened is closed by it. At a vCenter that nobody else uses."""
    alone = new_vcenter()
    own_cluster.kubectl.apply(manifests.secret("leave", alone.user, alone.password, thumbprint=alone.sha256),
                              manifests.provider("leave", alone.url))
    own_cluster.kubectl.condition("provider", "leave", "Ready")
    waiting.until("session", lambda: alone.log()["sessions"])
    own_cluster.kubectl("delete", "provider", "leave", "-n", "openshift-mtv")
    waiting.until(lambda: f"end of the provider's sessions: {alone.log()['sessions']}", lambda: not alone.log()["sessions"])


def test_clients_written_for_forklift_can_read_what_was_written(cluster, migrated):
    """Every object decodes strictly into the Go types of Forklift, KubeVirt and CDI themselves (tests/forklift-types)."""
    objects = [thing for kind in ("provider", "networkmap", "storagemap", "plan", "migration") for thing in cluster.kubectl.get(kind)]
    objects += [thing for kind in ("virtualmachine", "datavolume") for thing in cluster.kubectl.get(kind, namespace="default")]
    assert {thing["kind"] for thing in objects} == {
        "Provider", "NetworkMap", "StorageMap", "Plan", "Migration", "VirtualMachine", "DataVolume"}
    decoder = subprocess.run([build_peer("tests/forklift-types")], input="\n".join(map(json.dumps, objects)), text=True,
                             stdout=subprocess.PIPE, check=False)
    assert decoder.returncode == 0, decoder.stdout
