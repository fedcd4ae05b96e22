"""A VM of oVirt goes on writing while it is backed up round after round; the target has every byte that it had at its power-off."""
import json
import os
import pathlib
import signal
import subprocess
import time

import pytest

from harness import waiting
from harness.killed_controller import KilledController
from harness.migration import sha256_padded
from harness.ovirt import Ovirt
from harness.ovirt_migration import OvirtRun

MEBIBYTE = 1 << 20
DATA = 12 * MEBIBYTE


@pytest.fixture(scope="module")
def settings(module_cluster):
    module_cluster.kubectl("patch", "forkliftcontroller", "forklift-controller", "-n", "openshift-mtv", "--type=merge", "-p",
                           json.dumps({"spec": {"controller_precopy_interval_seconds": 1}}))


@pytest.fixture(scope="module")
def engine(random_disk, tmp_path_factory):
    """Running VMs with a qcow2 disk that keeps bitmaps, and a raw one that cannot."""
    home = tmp_path_factory.mktemp("ovirt-disks")
    vms = []
    for number, name in enumerate(("moves", "stays", "phases")):
        thin, raw = home / f"{name}.qcow2", random_disk(home / f"{name}-raw.raw", 4 * 2048, seed=number)
        subprocess.run(["qemu-img", "convert", "-f", "raw", "-O", "qcow2", random_disk(home / f"{name}.raw", DATA // 512, seed=10 + number), thin],
                       check=True)
        vms.append({"name": name, "powerOn": True, "memoryMB": 128, "nics": [{"mac": f"56:6f:1a:16:02:0{number}"}], "disks": [
            {"file": str(thin), "format": "qcow2", "json": {"backup": "incremental"}}, {"file": str(raw)}]})
    one = Ovirt(tmp_path_factory.mktemp("engine"), {"vms": vms})
    one.files = {vm["name"]: [(disk["file"], disk.get("format", "raw")) for disk in vm["disks"]] for vm in vms}
    yield one
    one.stop()


@pytest.fixture(scope="module")
def source(module_cluster, engine):
    OvirtRun(module_cluster, engine, "moves", "moves", source="rhv-warm").prepare_source()
    return "rhv-warm"


class Warm(OvirtRun):
    """A warm plan of one VM whose guest writes to both disks."""

    def plan(self, **more):
        return super().plan(warm=True, **more)

    def prepare(self):
        self.kubectl.apply(self.plan())
        self.kubectl.condition("plan", self.name, "Ready")
        return self

    def write(self, seed):
        for disk in (0, 1):
            self.engine.tell("write", vm=self.vm, disk=disk, seed=seed + disk, every=50, span=2 * MEBIBYTE)
        return self

    def warm(self):
        return self.vm_status().get("warm", {})

    def precopied(self, rounds):
        waiting.until(lambda: f"{rounds} precopies, but {self.vm_status().get('phase')} {self.warm()}",
                      lambda: self.warm().get("successes", 0) >= rounds, waiting.LONG, every=0.2)
        return self

    def cut_over(self):
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        self.kubectl("patch", "migration", self.name, "-n", "openshift-mtv", "--type=merge", "-p", json.dumps({"spec": {"cutover": now}}))
        return self

    def check_target(self, directory):
        """The target's disks are what the source's are now."""
        for number, (image, (path, form)) in enumerate(zip(map(pathlib.Path, self.target_disks()), self.engine.files[self.vm])):
            raw = directory / f"{self.name}-{number}.raw"
            subprocess.run(["qemu-img", "convert", "-f", form, "-O", "raw", path, raw], check=True)
            assert sha256_padded(image, image.stat().st_size) == sha256_padded(raw, image.stat().st_size), f"disk {number}"

    def nothing_is_left(self):
        """No transfer, no open backup, no checkpoint of ours."""
        super().nothing_is_left()
        seen = self.engine.log()["backups"][self.vm]
        assert seen["checkpoints"] == [] and {one["phase"] for one in seen["backups"]} <= {"succeeded", "failed"}


def test_a_plan_says_what_each_disk_can_do(cluster, kubectl, engine, source, settings):
    run = Warm(cluster, engine, "moves", "moves", source=source).prepare()
    said = kubectl.condition("plan", run.name, "VMMissingChangedBlockTracking")
    assert said["category"] == "Warn"
    assert [engine.disks["moves"][1]] == [disk for disk in engine.disks["moves"] if disk in json.dumps(said)]


def processes_with(cluster, *words):
    for pid in cluster.processes():
        try:
            command = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if len(command) > 1 and command[0].endswith(b"gantry") and command[1:1 + len(words)] == [word.encode() for word in words]:
            yield pid


def kill(cluster, *words):
    for pid in processes_with(cluster, *words):
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:  # it has just ended by itself
            pass


def test_a_running_vm_moves_with_every_byte_that_it_had(cluster, engine, source, settings, tmp_path):
    """On the way tickets and the session expire, the daemon restarts, the engine answers 503, checkpoints are lost, copier and controller are killed."""
    cluster.allow("503|retried|TicketExpired|ticket|Retrying|imageio|HTTP|cannot|answered|ended|transfer|backup|changed|precopy|gone|tracked")
    run = Warm(cluster, engine, "moves", "moves", source=source).prepare().write(seed=7).start().precopied(2)
    engine.tell("checkpoint", vm="moves")
    engine.fault("status", path="backups|imagetransfers", status=503, times=2)
    engine.fault("expire tickets")
    engine.fault("forget tokens")
    kill(cluster, "copy")
    kill(cluster, "controller")
    run.precopied(3)
    engine.fault("restart daemon")
    run.cut_over()
    status = run.finish()
    run.stop_machine()
    run.check_target(tmp_path)
    run.nothing_is_left()
    assert all(one["end"] for one in status["warm"]["precopies"])
    transfer = next(step for step in status["pipeline"] if step["name"] == "DiskTransfer")
    passes = [int(transfer["annotations"][f"precopy-{number}"].split()[0]) for number in (1, 2)]
    assert passes[0] >= DATA > passes[1], passes  # the second reads what has changed, and the raw disk
    assert engine.log()["calls"].get("POST/vms/start", 0) == 0


def test_a_controller_that_is_killed_at_every_phase_moves_the_vm_all_the_same(cluster, engine, source, settings, tmp_path):
    cluster.allow("HTTP|cannot|answered|lease|Lease|backup|precopy")
    run = Warm(cluster, engine, "phases", "phases", source=source).prepare().write(seed=11)

    def ended():
        """The cutover is set when it has been precopied twice."""
        if run.warm().get("successes", 0) >= 2 and "cutover" not in cluster.kubectl.get("migration", run.name)["spec"]:
            run.cut_over()
        return run.ended()

    before = engine.log()["calls"]
    with KilledController(next(processes_with(cluster, "controller")), tmp_path / "controller.log") as controller:
        run.start()
        killed = controller.run(run.name, ended)
    print("killed at", killed)
    run.finish()
    run.stop_machine()
    run.check_target(tmp_path)
    run.nothing_is_left()
    after = engine.log()["calls"]
    assert killed and all(after.get(call, 0) == before.get(call, 0) for call in ("POST/vms/start", "POST/vms/stop"))


def test_a_cancelled_vm_runs_on_without_our_checkpoints(cluster, engine, source, settings):
    """The journal says of each round, and not of the last one alone, that its disks were opened and closed."""
    cluster.allow("what has changed is not known")  # of the raw disk, from the second round on
    before = engine.log()["calls"].get("POST/vms/shutdown", 0)
    run = Warm(cluster, engine, "stays", "stays", source=source).prepare().write(seed=9).start().precopied(2)
    cluster.kubectl("delete", "migration", "stays", "-n", "openshift-mtv")
    waiting.until("end of the migration", lambda: run.vm_status().get("completed"), waiting.LONG)
    run.nothing_is_left()
    assert engine.log()["calls"].get("POST/vms/shutdown", 0) == before
    journals = cluster.kubectl.get("configmap", selector=f"gantry.io/journal=source,gantry.io/vm={engine.vms['stays']}")
    records = [json.loads(text) for journal in journals for text in journal["data"].values()]
    done = {change: {(one["round"], one["detail"]) for one in records if one["change"] == change}
            for change in ("disk opened for reading", "disk closed")}
    assert done["disk opened for reading"] == done["disk closed"]
    assert {(round, disk) for round in (1, 2) for disk in engine.disks["stays"]} <= done["disk closed"], records
