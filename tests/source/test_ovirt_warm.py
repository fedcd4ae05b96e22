"""source/warm.h against an oVirt engine: backups and checkpoints, in front of QEMU's own dirty bitmaps and the real imageio daemon."""
import random
import subprocess

import pytest
from harness.ovirt import Ovirt
from probing import MIB, Probe, Refused

SIZE = 16 * MIB


@pytest.fixture(scope="module", name="engine")
def start_engine(tmp_path_factory):
    """A running VM with one disk that keeps bitmaps and one that cannot, and one with a raw disk only."""
    folder = tmp_path_factory.mktemp("engine")
    disks = {}
    for name, form in (("thin", "qcow2"), ("thick", "raw"), ("alone", "raw")):
        raw = folder / f"{name}.raw"
        raw.write_bytes(random.Random(name).randbytes(SIZE))
        disks[name] = {"file": str(raw), "format": "raw"}
        if form == "qcow2":
            thin = folder / f"{name}.qcow2"
            subprocess.run(["qemu-img", "convert", "-f", "raw", "-O", "qcow2", raw, thin], check=True)
            disks[name] = {"file": str(thin), "format": "qcow2", "json": {"backup": "incremental"}}
    made = Ovirt(folder / "peer", {"vms": [
        {"name": "mixed", "powerOn": True, "disks": [disks["thin"], disks["thick"]]},
        {"name": "raw", "powerOn": True, "disks": [disks["alone"]]}]})
    yield made
    made.stop()


@pytest.fixture(name="probe")
def start_probe(binaries, engine):
    made = Probe(binaries / "tests/source/source-probe", engine, "ovirt", engine.cacert)
    yield made
    made.close()


@pytest.fixture(name="vm")
def choose_vm(engine, probe):
    """A running VM with no backup and no checkpoint."""
    vm = {"id": engine.vms["mixed"]}
    yield vm
    for owner in ("plan-1", "somebody"):
        probe("sweep", vm, owner=owner)
    assert probe("snapshots", vm)["snapshots"] == []


def begin(probe, vm, label, since=None, owner="plan-1"):
    return probe("create", vm, owner=owner, label=label, **({"since": since} if since else {}))["snapshot"]


def disks(probe, vm, engine, backup):
    seen = probe("disks", vm, snapshot=backup)
    return [seen[disk] for disk in engine.disks["mixed"]]


def labels(probe, vm):
    return [one.get("label") for one in probe("snapshots", vm)["snapshots"]]


def test_a_backup_is_found_again_by_its_label(probe, vm):
    first = begin(probe, vm, "1")
    assert begin(probe, vm, "1") == first
    assert labels(probe, vm) == ["1", "1"]  # and its checkpoint


def test_what_changed_is_known_of_disks_with_bitmaps_only(probe, vm, engine):
    first = begin(probe, vm, "1")
    thin, thick = disks(probe, vm, engine, first)
    assert (thin["size"], thin["knownSince"], thick["knownSince"]) == (SIZE, "", "")
    probe("release", vm, snapshot=first)
    thin, thick = disks(probe, vm, engine, begin(probe, vm, "2", since=thin["changeId"]))
    assert thin["knownSince"] and not thick["knownSince"]


def test_a_release_keeps_what_changes_are_asked_since(probe, vm, engine):
    first = begin(probe, vm, "1")
    change = disks(probe, vm, engine, first)[0]["changeId"]
    probe("release", vm, snapshot=first)
    assert labels(probe, vm) == ["1"]
    with pytest.raises(Refused) as refused:
        probe("disks", vm, snapshot=first)
    assert "has ended" in str(refused.value)
    probe("sweep", vm, owner="plan-1", keep=change)
    assert [one["id"] for one in probe("snapshots", vm)["snapshots"]] == [change]


def test_a_lost_checkpoint_makes_a_whole_backup(probe, vm, engine):
    first = begin(probe, vm, "1")
    change = disks(probe, vm, engine, first)[0]["changeId"]
    probe("release", vm, snapshot=first)
    engine.tell("checkpoint", vm="mixed")
    assert disks(probe, vm, engine, begin(probe, vm, "2", since=change))[0]["knownSince"] == ""


def test_another_s_backup_is_not_touched_and_a_checkpoint_behind_his_is_left_for_now(probe, vm, engine):
    foreign = begin(probe, vm, "nightly", owner="somebody")
    with pytest.raises(Refused) as refused:
        begin(probe, vm, "1")
    assert "during a backup" in str(refused.value)
    probe("sweep", vm, owner="plan-1")
    assert probe("snapshots", vm)["snapshots"][0]["id"] == foreign
    probe("release", vm, snapshot=foreign)
    begin(probe, vm, "1")
    probe("sweep", vm, owner="plan-1")
    assert labels(probe, vm) == ["nightly", "1"]
    probe("sweep", vm, owner="somebody")
    probe("sweep", vm, owner="plan-1")
    assert labels(probe, vm) == []


def test_a_vm_of_raw_disks_has_backups_without_checkpoints(probe, engine):
    vm = {"id": engine.vms["raw"]}
    first = begin(probe, vm, "1")
    disk = probe("disks", vm, snapshot=first)[engine.disks["raw"][0]]
    assert disk["changeId"] == "backup/" + first and disk["knownSince"] == ""
    probe("sweep", vm, owner="plan-1", keep=disk["changeId"])
    begin(probe, vm, "2", since=disk["changeId"])
    probe("sweep", vm, owner="plan-1")
    assert probe("snapshots", vm)["snapshots"] == []


def test_a_backup_whose_vm_goes_down_has_ended(probe, vm, engine):
    begun = begin(probe, vm, "1")
    engine.tell("power", vm="mixed", state="down")
    with pytest.raises(Refused):
        probe("disks", vm, snapshot=begun)
    assert labels(probe, vm) == []
    begin(probe, vm, "2")  # a VM that is down can be backed up, too
    assert labels(probe, vm) == ["2", "2"]
    probe("sweep", vm, owner="plan-1")
    engine.tell("power", vm="mixed", state="up")
