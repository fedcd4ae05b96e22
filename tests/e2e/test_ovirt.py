"""VMs are taken out of oVirt: cold, through image transfers of the real imageio daemon, and nothing of ours stays on the engine."""
import json
import os
import pathlib
import signal
import subprocess

import pytest

from harness import manifests, waiting
from harness.cluster import condition_of
from harness.killed_controller import KilledController
from harness.migration import sha256_padded
from harness.ovirt import Ovirt
from harness.ovirt_migration import OvirtRun, provider

MAC = "56:6f:1a:16:01:51"
MEBIBYTE = 1 << 20


def as_qcow2(raw):
    """A thin qcow2 with the content of a raw disk, as the engine keeps thin disks on block storage."""
    thin = raw.with_suffix(".qcow2")
    subprocess.run(["qemu-img", "convert", "-f", "raw", "-O", "qcow2", raw, thin], check=True)
    return thin


@pytest.fixture(scope="module")
def images(tiny_guest, random_disk, tmp_path_factory):
    """Raw contents by name; "data" is preallocated."""
    home = tmp_path_factory.mktemp("ovirt-disks")
    made = {"boot": tiny_guest(home / "boot.raw"), "data": random_disk(home / "data.raw", 12 * 2048, seed=3),
            "big": random_disk(home / "big.raw", 48 * 2048, seed=4)}
    with open(made["data"], "r+b") as disk:
        os.posix_fallocate(disk.fileno(), 0, made["data"].stat().st_size)
    return made


@pytest.fixture(scope="module")
def old_guest(tmp_path_factory):
    """A Linux whose kernel has a driver for SATA disks and none for virtio, as far as it can be seen without booting it."""
    home = tmp_path_factory.mktemp("old-guest")
    root = home / "root"
    for name in ("etc", "bin", "sbin", "usr/bin", "var/lib/dpkg", "var/log", "boot", "tmp", "lib/modules/5.10.0-amd64/kernel/drivers/ata"):
        (root / name).mkdir(parents=True)
    (root / "etc/os-release").write_text('ID=debian\nVERSION_ID="11"\nNAME="Debian GNU/Linux"\n')
    (root / "etc/debian_version").write_text("11.5\n")
    (root / "etc/fstab").write_text("/dev/sda / ext2 defaults 0 1\n")
    for name in ("bin/sh", "var/lib/dpkg/status", "lib/modules/5.10.0-amd64/kernel/drivers/ata/ahci.ko"):
        (root / name).touch()
    subprocess.run(["/sbin/mke2fs", "-q", "-t", "ext2", "-d", root, home / "old.raw", "200M"], check=True)
    return home / "old.raw"


@pytest.fixture(scope="module")
def engine(images, old_guest, tmp_path_factory):
    def small(name, last, **more):
        return {"name": name, "disks": [{"file": str(images["data"])}], "nics": [{"mac": MAC[:-2] + last}], **more}

    one = Ovirt(tmp_path_factory.mktemp("engine"), {
        "storageDomains": ["data", "second domain"],
        "vms": [
            {"name": "tiny", "powerOn": True, "memoryMB": 128, "nics": [{"mac": MAC}], "disks": [
                {"file": str(as_qcow2(images["boot"])), "format": "qcow2", "interface": "virtio"},
                {"file": str(images["data"]), "storageDomain": "second domain", "interface": "virtio"}]},
            small("stubborn", "95", powerOn=True), small("busy", "96", powerOn=True), small("phases", "94", powerOn=True),
            {"name": "old", "nics": [{"mac": MAC[:-2] + "93"}], "disks": [{"file": str(old_guest), "interface": "ide"}]},
            {"name": "large", "nics": [{"mac": MAC[:-2] + "99"}], "powerOn": True,
             "disks": [{"file": str(as_qcow2(images["big"])), "format": "qcow2"}, {"file": str(images["big"])}]},
            {"name": "lun", "nics": [{"mac": MAC[:-2] + "98"}], "disks": [{"size": 1 << 30, "json": {
                "storage_type": "lun", "lun_storage": {"logical_units": {"logical_unit": [{"id": "3600", "size": 1 << 30}]}}}}]},
        ]})
    yield one
    one.stop()


@pytest.fixture(scope="module")
def source(module_cluster, engine):
    """Provider and maps, all called "rhv"."""
    OvirtRun(module_cluster, engine, "tiny", "tiny", source="rhv").prepare_source()
    return "rhv"


@pytest.fixture(autouse=True)
def lift_faults(engine):
    """What a test does to the engine ends with it, however the test ends."""
    yield
    engine.lift()
    engine.tell("permits")
    engine.tell("disk", vm="busy", disk=0, json={"status": "ok"})


@pytest.fixture
def temporary(kubectl):
    """Objects that are gone after the test: temporary(kind, name), before they are made."""
    made = []
    yield lambda kind, name: made.append((kind, name))
    for kind, name in reversed(made):
        kubectl("delete", kind, name, "-n", "openshift-mtv", "--ignore-not-found", check=False)


def power_calls(engine):
    """How often the engine was told what about the power of VMs."""
    return {call.rsplit("/", 1)[1]: count for call, count in engine.log()["calls"].items() if call.startswith("POST/vms/") and "backup" not in call}


def run_of(cluster, engine, vm, name=None):
    return OvirtRun(cluster, engine, vm, name or vm, source="rhv")


# ---- the whole way --------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def migrated(module_cluster, engine, source):
    run = run_of(module_cluster, engine, "tiny").prepare().start()
    status = run.finish()
    power, journal = power_calls(engine), run.journal(engine.vms["tiny"])
    boot = run.booted()
    run.stop_machine()
    return {"run": run, "status": status, "boot": boot, "power": power, "journal": journal}


def test_the_disks_are_equal_to_the_byte(cluster, engine, migrated, images):
    targets = [pathlib.Path(path) for path in migrated["run"].target_disks()]
    assert len(targets) == 2
    for target, raw in zip(targets, (images["boot"], images["data"])):
        assert target.stat().st_size % MEBIBYTE == 0
        assert sha256_padded(target, target.stat().st_size) == sha256_padded(raw, target.stat().st_size)
    tasks = migrated["run"].step("DiskTransfer")["tasks"]
    assert [task["name"] for task in tasks] == engine.disks["tiny"]
    assert all(task["annotations"]["readBack"] == "equal" and "grant" not in task["annotations"] for task in tasks)


def test_the_guest_boots_with_its_card_and_nothing_was_converted(cluster, engine, migrated, images):
    assert migrated["boot"]["macs"] == [MAC]
    assert migrated["boot"]["sums"] == [sha256_padded(images["data"], images["data"].stat().st_size)]
    assert [step["name"] for step in migrated["status"]["pipeline"]] == ["Initialize", "DiskTransfer", "VirtualMachineCreation"]
    machine = migrated["run"].machine()
    assert machine["spec"]["template"]["spec"]["domain"]["firmware"]["uuid"] == engine.vms["tiny"]
    assert [disk["serial"] for disk in machine["spec"]["template"]["spec"]["domain"]["devices"]["disks"]] == engine.disks["tiny"]


def test_every_transfer_was_finalized_and_none_is_left(cluster, engine, migrated):
    migrated["run"].nothing_is_left()
    transfers = [one for one in engine.log()["transfers"] if one["disk"]["id"] in engine.disks["tiny"]]
    assert sorted(one["disk"]["id"] for one in transfers) == sorted(engine.disks["tiny"])
    assert {one["phase"] for one in transfers} == {"finished_success"}


def test_the_source_was_shut_down_by_its_engine_and_only_that(cluster, engine, migrated):
    assert migrated["power"] == {"shutdown": 1}


def test_the_journal_has_what_the_engine_was_told_to_change(cluster, engine, migrated):
    transfers = [one for one in engine.log()["transfers"] if one["disk"]["id"] in engine.disks["tiny"]]
    assert migrated["journal"] == {"guest asked to shut down": migrated["power"]["shutdown"], "disk opened for reading": len(transfers),
                                   "disk closed": len(transfers)}


# ---- what is in the way ---------------------------------------------------------------------------------------------


def test_a_direct_lun_is_refused_before_anything_begins(cluster, kubectl, engine, source, temporary):
    temporary("plan", "lun")
    kubectl.apply(run_of(cluster, engine, "lun").plan())
    found = kubectl.condition("plan", "lun", "VMNotSupported")
    assert "direct LUN" in json.dumps(found)
    assert condition_of(kubectl.get("plan", "lun"), "Ready") is None


def test_what_the_account_may_not_do_is_named_before_anything_begins(cluster, kubectl, engine, source, temporary):
    engine.tell("permits", permits=["run_vm", "backup_disk"])
    temporary("plan", "rights")
    kubectl.apply(run_of(cluster, engine, "stubborn", "rights").plan())
    found = kubectl.condition("plan", "rights", "InsufficientPrivileges")
    assert "shut_down_vm" in json.dumps(found) and "edit_disk_properties" in json.dumps(found) and "run_vm" not in json.dumps(found)
    assert found["category"] == "Critical" and condition_of(kubectl.get("plan", "rights"), "Ready") is None


def test_one_ca_of_two_is_not_enough_for_the_hosts(cluster, kubectl, engine, source, temporary):
    """The front end's alone logs in; that the imageio hosts have another is found before anything is copied."""
    for kind, name in (("provider", "half"), ("networkmap", "half"), ("storagemap", "half"), ("plan", "half-trust")):
        temporary(kind, name)
    kubectl.apply(manifests.secret("half", engine.user, engine.password, cacert=engine.engine_ca), provider("half", engine.url))
    kubectl.condition("provider", "half", "Ready")
    kubectl.apply(manifests.network_map("half", "half", [({"name": "ovirtmgmt"}, "pod")]), manifests.storage_map("half", "half", [{"name": "data"}]))
    kubectl.apply(OvirtRun(cluster, engine, "busy", "half-trust", source="half").plan())
    found = kubectl.condition("plan", "half-trust", "SourceHostsNotReachable")
    assert "certificate" in json.dumps(found).lower() and "host1" in json.dumps(found)


def test_a_wrong_ca_stops_before_the_password_is_sent(cluster, kubectl, engine, source, temporary):
    temporary("provider", "untrusted")
    cluster.allow("[Cc]ertificate")
    user = "careful@internal"  # the others may log in meanwhile
    kubectl.apply(manifests.secret("untrusted", user, engine.password, cacert=engine.imageio_ca), provider("untrusted", engine.url))
    assert "certificate" in kubectl.condition("provider", "untrusted", "ConnectionTestFailed")["message"].lower()
    logins = [login["user"] for login in engine.log()["logins"]]
    assert engine.user in logins and user not in logins


def test_a_guest_that_does_not_shut_down_fails_the_vm_and_runs_on(cluster, kubectl, engine, source):
    cluster.allow("PowerOff|keeps running|step failed")
    before = power_calls(engine).get("stop", 0)
    engine.fault("deaf", vm="stubborn")
    kubectl("patch", "forkliftcontroller", "forklift-controller", "-n", "openshift-mtv", "--type=merge", "-p",
            '{"spec": {"controller_power_off_timeout": 3}}', check=False)
    run = run_of(cluster, engine, "stubborn").prepare().start()
    status = run.finish("Failed")
    assert "keeps running" in json.dumps(status["error"])
    assert power_calls(engine).get("stop", 0) == before


def test_a_controller_that_is_killed_at_phase_boundaries_goes_on(cluster, kubectl, engine, source):
    """At the two that wait for somebody: a guest that takes its time to shut down, and a disk that is locked. plan/execution_test has all."""
    cluster.allow("HTTP|cannot|answered|lease|Lease")
    before = power_calls(engine)
    engine.fault("deaf", vm="busy")
    engine.tell("disk", vm="busy", disk=0, json={"status": "locked"})
    run = run_of(cluster, engine, "busy").prepare().start()
    waiting.until("the guest to be asked", lambda: power_calls(engine).get("shutdown", 0) > before.get("shutdown", 0), every=0.1)
    kill_service("controller", cluster)
    engine.tell("power", vm="busy", state="down")

    def waits():
        step = run.step("DiskTransfer")
        return step and "locked" in json.dumps(step)

    waiting.until("word of the locked disk", waits, waiting.LONG)
    kill_service("controller", cluster)
    engine.tell("disk", vm="busy", disk=0, json={"status": "ok"})
    run.finish()
    run.nothing_is_left()
    after = power_calls(engine)
    assert after.get("start", 0) == before.get("start", 0) and after.get("stop", 0) == before.get("stop", 0)


def test_a_controller_that_is_killed_at_every_phase_moves_the_vm_all_the_same(cluster, engine, source, images, tmp_path):
    cluster.allow("HTTP|cannot|answered|lease|Lease")
    before = power_calls(engine)
    run = run_of(cluster, engine, "phases").prepare()
    with KilledController(next(processes_with(cluster, "controller")), tmp_path / "controller.log") as controller:
        run.start()
        killed = controller.run(run.name, run.ended)
    print("killed at", killed)
    run.finish()
    run.nothing_is_left()
    target = pathlib.Path(run.target_disks()[0])
    assert sha256_padded(target, target.stat().st_size) == sha256_padded(images["data"], target.stat().st_size)
    after = power_calls(engine)
    assert killed and after.get("start", 0) == before.get("start", 0) and after.get("stop", 0) == before.get("stop", 0)


@pytest.mark.timeout(5 * waiting.LONG)  # it may wait for longer than any other test may take
def test_a_guest_without_virtio_is_converted_though_nobody_asked(cluster, kubectl, engine, source):
    """libguestfs finds it out in the engine's disk. The conversion itself is tested elsewhere: here it is only seen to come, and the migration is cancelled."""
    run = run_of(cluster, engine, "old")
    kubectl.apply(run.plan(runPreflightInspection=True))
    kubectl.condition("plan", "old", "Ready")
    run.start()
    waiting.until(lambda: f"end of the inspection, but {json.dumps(run.vm_status())}",
                  lambda: run.step("ImageConversion") or run.ended() or (run.step("PreflightInspection") or {}).get("completed"), 3 * waiting.LONG)
    assert run.step("ImageConversion"), json.dumps(run.vm_status())
    kubectl("patch", "migration", "old", "-n", "openshift-mtv", "--type=merge", "-p", json.dumps({"spec": {"cancel": [{"name": "old"}]}}))
    run.finish("Canceled")
    run.nothing_is_left()


def test_a_host_says_at_which_address_its_transfers_are_read(cluster, kubectl, images, tmp_path):
    """The engine names its host by a name that does not resolve here; the Host resource knows where it is. No Secret is needed."""
    far = Ovirt(tmp_path / "far", {"transferHost": "host1.ovirt.test", "vms": [
        {"name": "far", "nics": [{"mac": MAC[:-2] + "97"}], "disks": [{"file": str(images["data"])}]}]})
    try:
        run = OvirtRun(cluster, far, "far", "far").prepare_source()
        host = {"apiVersion": manifests.API, "kind": "Host", "metadata": {"name": "far-host1", "namespace": "openshift-mtv"},
                "spec": {"provider": {"name": "far", "namespace": "openshift-mtv"}, "name": "host1", "ipAddress": far.imageio_address}}
        kubectl.apply(host)
        kubectl.condition("host", "far-host1", "Ready")
        run.prepare().start().finish()
        run.nothing_is_left()
        target = pathlib.Path(run.target_disks()[0])
        assert sha256_padded(target, target.stat().st_size) == sha256_padded(images["data"], target.stat().st_size)
    finally:  # while it still answers
        for kind, name in (("host", "far-host1"), ("plan", "far"), ("storagemap", "far"), ("networkmap", "far"), ("provider", "far")):
            kubectl("delete", kind, name, "-n", "openshift-mtv", "--ignore-not-found", check=False)
        far.stop()


# ---- what breaks in between -----------------------------------------------------------------------------------------


def importers(run):
    pods = run.kubectl.get("pod", namespace="default", selector="forklift.app=importer,plan-name=" + run.name)
    return [pod for pod in pods if pod["status"].get("phase") == "Running"]


def test_all_that_breaks_on_the_way_is_borne(cluster, kubectl, engine, source, images):
    """Expired tickets, a daemon that is killed, an engine that answers 503, a copier and a controller that are killed: one migration."""
    cluster.allow("503|retried|TicketExpired|ticket|Retrying|imageio|HTTP|cannot|answered|ended|transfer")
    engine.fault("status", path="imagetransfers", status=503, times=3)
    run = run_of(cluster, engine, "large").prepare().start()
    waiting.until("an importer Pod", lambda: importers(run) or run.vm_status().get("phase") == "Completed", every=0.1)
    engine.fault("expire tickets")
    kill_service("controller", cluster)
    waiting.until("another importer Pod", lambda: importers(run) or run.vm_status().get("phase") == "Completed", every=0.1)
    engine.fault("restart daemon")
    engine.fault("status", path="vms|disks", status=503, times=2)
    kill_service("copy", cluster)
    run.finish()
    run.nothing_is_left()
    for path in run.target_disks():
        assert sha256_padded(pathlib.Path(path), os.path.getsize(path)) == sha256_padded(images["big"], os.path.getsize(path))
    run.stop_machine()


def processes_with(cluster, *words):
    for pid in cluster.processes():
        try:
            command = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if len(command) > 1 and command[0].endswith(b"gantry") and command[1:1 + len(words)] == [word.encode() for word in words]:
            yield pid


def kill_service(name, cluster):
    for pid in processes_with(cluster, name):
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:  # it has just ended by itself
            pass


def test_a_cancelled_migration_gives_the_source_back(cluster, kubectl, engine, source):
    """Its transfer is cancelled, its power restored. A disk that is locked until then keeps it from ending before."""
    before = power_calls(engine).get("start", 0)
    engine.tell("power", vm="large", state="up")
    run = run_of(cluster, engine, "large", "cancelled")
    kubectl("delete", "virtualmachine", "large", "-n", "default", "--ignore-not-found")
    run.prepare()
    engine.tell("disk", vm="large", disk=1, json={"status": "locked"})
    run.start()
    waiting.until("a transfer", lambda: engine.log()["left"], every=0.1)
    kubectl("patch", "migration", "cancelled", "-n", "openshift-mtv", "--type=merge", "-p", json.dumps(
        {"spec": {"cancel": [{"name": "large"}]}}))
    engine.tell("disk", vm="large", disk=1, json={"status": "ok"})
    run.finish("Canceled")
    run.nothing_is_left()
    assert power_calls(engine).get("start", 0) == before + 1
