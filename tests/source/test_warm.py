"""source/warm.h against a vCenter: snapshots are made and removed, and no change between two of them is missed."""
import random
import subprocess

import pytest
from harness.vsphere import Administrator
from probing import MIB, SIZE, Copied, Refused

DISK = "2000"


def create(probe, vm, label, owner="plan-1"):
    return probe("create", vm, owner=owner, label=label)["snapshot"]


def change_id(probe, vm, snapshot):
    return probe("disks", vm, snapshot=snapshot)[DISK]["changeId"]


def changes(probe, vm, snapshot, since):
    return probe("changes", vm, snapshot=snapshot, disk=DISK, changeId=since, size=SIZE)["ranges"]


def names(probe, vm):
    return [one["name"] for one in probe("snapshots", vm)["snapshots"]]


# ---- snapshots ----------------------------------------------------------------------------------------------------


def test_a_snapshot_is_found_again_by_its_label(probe, vm):
    first = create(probe, vm, "1")
    assert create(probe, vm, "1") == first
    assert create(probe, vm, "2") != first
    assert names(probe, vm) == ["gantry:plan-1:1", "gantry:plan-1:2"]
    seen = probe("snapshots", vm)
    assert (seen["depth"], seen["snapshots"][1]["parent"], seen["snapshots"][0]["owner"]) == (2, first, "plan-1")


def test_ours_are_swept_and_others_are_left_alone(probe, vm):
    foreign = create(probe, vm, "backup", owner="somebody")
    for label in ("1", "2", "3"):
        kept = create(probe, vm, label)
    probe("sweep", vm, owner="plan-1", keep=kept)
    assert names(probe, vm) == ["gantry:somebody:backup", "gantry:plan-1:3"]
    probe("sweep", vm, owner="plan-1")
    assert [one["id"] for one in probe("snapshots", vm)["snapshots"]] == [foreign]


def test_a_snapshot_that_is_gone_is_removed_in_peace(probe, vm):
    snapshot = create(probe, vm, "1")
    probe("remove", vm, snapshot=snapshot)
    probe("remove", vm, snapshot=snapshot)
    assert names(probe, vm) == []


def test_a_guest_that_cannot_be_quiesced_is_frozen_as_it_is(probe, vm, vcenter):
    vcenter.fault("snapshot-fail")
    assert probe("create", vm, owner="plan-1", label="1")["quiesced"] is False
    assert probe("create", vm, owner="plan-1", label="2")["quiesced"] is True


def test_consolidation_that_is_needed_is_asked_for(probe, vm, vcenter):
    snapshot = create(probe, vm, "1")
    vcenter.fault("no-consolidation")
    probe("remove", vm, snapshot=snapshot)
    assert probe("snapshots", vm)["consolidationNeeded"]
    probe("settle", vm)
    assert not probe("snapshots", vm)["consolidationNeeded"]


def test_too_many_snapshots_end_with_what_to_do(probe, vm):
    for label in range(28):
        create(probe, vm, str(label))
    with pytest.raises(Refused, match="warm import retry limit reached.*28") as caught:
        create(probe, vm, "28")
    assert caught.value.reason == "SnapshotLimit"


# ---- changes ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(2))
def test_a_replica_that_takes_only_changes_equals_the_source(probe, vm, vcenter, tmp_path, seed):
    """The cycle of a warm migration, with pages that are small and some that are empty."""
    randoms = random.Random(seed)
    replica, seen = bytearray(SIZE), tmp_path / "seen.raw"
    vcenter.guest(vm, disk=2000, seed=seed, every=3)
    snapshot, since = create(probe, vm, "0"), "*"
    for cycle in range(4):
        vcenter.pages(areas=randoms.choice([1, 3, 2000]), span=randoms.choice([0, MIB + 512, 256 << 10]))
        ranges = changes(probe, vm, snapshot, since)
        vcenter.export(vm, 2000, seen, snapshot)
        with open(seen, "rb") as file:
            for start, size in ranges:
                file.seek(start)
                replica[start:start + size] = file.read(size)
            file.seek(0)
            assert bytes(replica) == file.read(), f"cycle {cycle} misses changes; seed {seed}"
        assert cycle == 0 or sum(size for _, size in ranges) < SIZE
        since = change_id(probe, vm, snapshot)
        probe("remove", vm, snapshot=snapshot)
        probe("settle", vm)
        snapshot = create(probe, vm, str(cycle + 1))
    vcenter.pages()


def test_tracking_that_began_anew_is_noticed(probe, vm, vcenter):
    since = change_id(probe, vm, create(probe, vm, "1"))
    vcenter.reset_tracking(vm)
    snapshot = create(probe, vm, "2")
    with pytest.raises(Refused, match="begun anew") as caught:
        changes(probe, vm, snapshot, since)
    assert (caught.value.reason, caught.value.error_class) == ("ChangeTrackingReset", "stale")
    assert changes(probe, vm, snapshot, "*")


def test_a_snapshot_that_somebody_reverted_to_is_a_loss_and_can_be_removed(probe, vm, vcenter):
    made = create(probe, vm, "1")
    since = change_id(probe, vm, made)
    administrator = Administrator(vcenter)
    administrator.snapshot(vm["id"], "a backup")
    administrator.task("RevertToSnapshot_Task", "VirtualMachineSnapshot", made)
    probe("remove", vm, snapshot=made)
    probe("settle", vm)
    assert names(probe, vm) == ["a backup"]
    snapshot = create(probe, vm, "2")
    with pytest.raises(Refused, match="begun anew"):
        changes(probe, vm, snapshot, since)
    administrator.remove_snapshots(vm["id"])


def test_a_change_id_that_is_none_is_a_loss(probe, vm):
    snapshot = create(probe, vm, "1")
    with pytest.raises(Refused) as caught:
        changes(probe, vm, snapshot, change_id(probe, vm, snapshot) + "x")
    assert caught.value.reason == "ChangeTrackingReset"


def test_a_disk_that_has_grown_is_a_loss(probe, vm):
    snapshot = create(probe, vm, "1")
    with pytest.raises(Refused, match="another size"):
        probe("changes", vm, snapshot=snapshot, disk=DISK, changeId="*", size=SIZE + 512)


def test_a_disk_that_is_not_there_is_named(probe, vm):
    snapshot = create(probe, vm, "1")
    with pytest.raises(Refused, match="no disk 2077"):
        probe("changes", vm, snapshot=snapshot, disk="2077", changeId="*", size=SIZE)


# ---- the files ----------------------------------------------------------------------------------------------------


def test_the_chains_files_are_what_qemu_img_reads(probe, vm, vcenter, tmp_path):
    """The peer's own formats: what it wrote is what QEMU, which nobody here wrote, finds."""
    for cycle in range(3):
        vcenter.guest(vm, disk=2000, seed=cycle, writes=40)
        create(probe, vm, str(cycle))
    vcenter.guest(vm, disk=2000, seed=9, writes=40)
    descriptor = vcenter.export(vm, 2000, tmp_path / "seen.raw", "")
    subprocess.run(["qemu-img", "convert", "-U", "-f", "vmdk", "-O", "raw", descriptor, tmp_path / "qemu.raw"], check=True)
    assert (tmp_path / "qemu.raw").read_bytes() == (tmp_path / "seen.raw").read_bytes()
    second = probe("snapshots", vm)["snapshots"][1]["id"]
    probe("remove", vm, snapshot=second)
    probe("settle", vm)
    descriptor = vcenter.export(vm, 2000, tmp_path / "seen.raw", "")
    subprocess.run(["qemu-img", "convert", "-U", "-f", "vmdk", "-O", "raw", descriptor, tmp_path / "after.raw"], check=True)
    assert (tmp_path / "after.raw").read_bytes() == (tmp_path / "qemu.raw").read_bytes()


def test_a_running_vm_is_copied_at_a_snapshot_without_vddk(probe, vm, vcenter, binaries, tmp_path):
    """The guest goes on writing all the while; what arrives is the moment of the snapshot."""
    vcenter.guest(vm, disk=2000, seed=1, writes=60)
    create(probe, vm, "1")
    vcenter.guest(vm, disk=2000, seed=2, writes=60)
    snapshot = create(probe, vm, "2")
    vcenter.guest(vm, disk=2000, seed=3, every=2)
    disk = probe("disks", vm, snapshot=snapshot)[DISK]
    datastore, path = disk["file"][1:].split("] ")
    copied = Copied(binaries, vcenter, vm, tmp_path, {"type": "https", "datacenter": vcenter.datacenter, "datastore": datastore,
                                                      "path": path, "parents": disk["parents"]})
    result = copied.run()
    vcenter.export(vm, 2000, tmp_path / "seen.raw", snapshot)
    assert copied.bytes() == (tmp_path / "seen.raw").read_bytes()
    assert "2 layers" in result["reader"]
