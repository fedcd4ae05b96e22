"""gantry copy by an NFC lease: one stream, straight to its place, and the lease kept as long as it is needed."""
import pathlib
import random

import pytest
from harness.vcenter import Vcenter
from probing import SIZE, Copied, Probe


@pytest.fixture(name="snapshot")
def make_snapshot(probe, vm, vcenter):
    """A snapshot of a guest that has written and goes on writing."""
    vcenter.guest(vm, disk=2000, seed=5, writes=30)
    probe("create", vm, owner="plan-1", label="0")
    vcenter.guest(vm, disk=2000, seed=6, writes=30)
    made = probe("create", vm, owner="plan-1", label="1")["snapshot"]
    vcenter.guest(vm, disk=2000, seed=7, every=2)
    vcenter.forget()
    return made


@pytest.fixture(name="copied")
def copy_by_lease(binaries, vcenter, vm, tmp_path, snapshot):
    return Copied(binaries, vcenter, vm, tmp_path, {"type": "lease", "vm": vm["id"], "snapshot": snapshot})


def assert_right(copied, vcenter, vm, snapshot):
    vcenter.export(vm, 2000, copied.folder / "seen.raw", snapshot)
    assert copied.bytes() == (copied.folder / "seen.raw").read_bytes()


def test_a_snapshot_is_streamed(copied, vcenter, vm, snapshot):
    result = copied.run()
    assert_right(copied, vcenter, vm, snapshot)
    calls = vcenter.log()["calls"]
    assert (calls["ExportSnapshot"], calls["HttpNfcLeaseComplete"]) == (1, 1) and "HttpNfcLeaseAbort" not in calls
    assert result["reader"].startswith("lease:") and len(vcenter.log()["sessions"]) == 1  # the probe's


def test_a_stream_that_breaks_is_begun_anew(copied, vcenter, vm, snapshot):
    vcenter.fault("drop-mid-body", match="nfc/", count=2)
    copied.run()
    assert_right(copied, vcenter, vm, snapshot)
    calls = vcenter.log()["calls"]
    assert (calls["ExportSnapshot"], calls["HttpNfcLeaseAbort"], calls["HttpNfcLeaseComplete"]) == (3, 2, 1)


def test_a_lease_is_kept_alive_while_the_stream_is_slow(copied, vcenter, vm, snapshot):
    vcenter.fault("lease-timeout", milliseconds=2000, count=-1)
    vcenter.fault("rate", match="nfc ", bytes=3 << 20)
    copied.run()
    assert_right(copied, vcenter, vm, snapshot)
    assert vcenter.log()["calls"]["HttpNfcLeaseProgress"] >= 2


def test_a_host_that_nobody_knows_is_named(copied, vcenter):
    vcenter.fault("lease-host", count=-1)
    result = copied.run(code=75)
    assert result["class"] == "transient" and "esx.invalid" in result["message"]


def test_a_vm_that_runs_is_not_streamed_without_a_snapshot(copied, vcenter):
    del copied.spec["source"]["snapshot"]
    ended = copied.run(code=75)
    assert "InvalidPowerState" in ended["message"]


def test_a_vm_that_is_off_is_streamed_as_it_is(copied, vcenter, vm):
    vcenter.guest(vm, stop=True)
    vcenter.power(vm["name"], "off")
    del copied.spec["source"]["snapshot"]
    copied.run()
    vcenter.power(vm["name"], "on")
    vcenter.export(vm, 2000, copied.folder / "seen.raw", "")
    assert copied.bytes() == (copied.folder / "seen.raw").read_bytes()


def test_a_disk_that_is_no_file_goes_by_lease_and_says_why(binaries, vcenter, vm, snapshot, tmp_path):
    """As on vSAN: the descriptor names an object instead of a file."""
    descriptor = vcenter.export(vm, 2000, tmp_path / "seen.raw", snapshot)
    with open(pathlib.Path(descriptor).with_name("object.vmdk"), "w", encoding="utf-8") as file:
        file.write(f'# Disk DescriptorFile\nCID=1\nparentCID=ffffffff\ncreateType="vmfs"\nRW {SIZE // 512} VMFS "vsan://52-aa"\n')
    copied = Copied(binaries, vcenter, vm, tmp_path, {
        "type": "https", "datacenter": vcenter.datacenter, "datastore": "datastore1", "path": f"{vm['name']}/object.vmdk",
        "others": [{"type": "lease", "url": vcenter.url, "vm": vm["id"], "snapshot": snapshot, "generation": "1"}]})
    result = copied.run()
    assert_right(copied, vcenter, vm, snapshot)
    assert result["reader"].startswith("lease:") and "not by https" in result["reader"] and "vsan://52-aa" in result["reader"]


@pytest.fixture(name="objects", scope="module")
def start_vcenter_with_vsan(tmp_path_factory):
    """A running VM whose disk is an object of a vSAN datastore."""
    folder = tmp_path_factory.mktemp("objects")
    (folder / "disk.raw").write_bytes(random.Random(3).randbytes(SIZE))
    vcenter = Vcenter(folder / "vcenter", {"datastores": ["objects"], "vsan": ["objects"], "vms": [
        {"name": "object", "powerOn": True, "hostName": "object", "disks": [{"file": str(folder / "disk.raw")}]}]})
    yield vcenter
    vcenter.stop()


def test_a_disk_of_vsan_is_streamed_each_round_and_only_what_has_changed_is_taken(binaries, objects, tmp_path):
    """As a warm migration reads it: over HTTPS first, which finds no file, then by a lease of the round's snapshot."""
    vm, probe = objects.vms["object"], Probe(binaries / "tests/source/source-probe", objects)
    probe("track", vm, owner="plan-1")
    since, generation, copied = None, None, None
    for number in range(2):
        snapshot = probe("create", vm, owner="plan-1", label=str(number))["snapshot"]
        disk = probe("disks", vm, snapshot=snapshot)["2000"]
        lease = {"type": "lease", "url": objects.url, "vm": vm["id"], "snapshot": snapshot, "generation": disk["changeId"]}
        copied = copied or Copied(binaries, objects, vm, tmp_path, {})
        copied.spec["source"] = {"type": "https", "url": objects.url, "datacenter": objects.datacenter, "datastore": "objects",
                                 "path": disk["file"].split("] ")[1], "parents": disk["parents"], "generation": disk["changeId"], "others": [lease]}
        copied.spec["fence"]["generation"] = number + 1
        if since:
            ranges = probe("changes", vm, snapshot=snapshot, disk="2000", changeId=since, size=SIZE)["ranges"]
            copied.spec["changes"] = {"since": generation, "ranges": ranges}
        result = copied.run()
        assert result["reader"].startswith("lease:") and "vsan://" in result["reader"]
        assert_right(copied, objects, vm, snapshot)
        assert not since or result["bytesRead"] == sum(size for _, size in ranges) < SIZE
        since = generation = disk["changeId"]
        objects.guest(vm, disk=2000, seed=number, writes=12)
        probe("remove", vm, snapshot=snapshot)
        probe("settle", vm)
    probe.close()
