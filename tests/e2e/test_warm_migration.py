"""A VM goes on writing while it is copied round after round; the target has every byte that the source had at its power-off."""
import calendar
import collections
import json
import pathlib
import time

import pytest

from harness import manifests, waiting
from harness.migration import Run, sha256, sha256_padded
from harness.vsphere import Administrator

MEBIBYTE = 1 << 20
DATA = 24 * MEBIBYTE + 5 * 512
CHANGING = 8 * MEBIBYTE  # at the end of the data; no more than that changes, however long a round takes
TOO_MUCH = 64 << 20  # MiB that no machine has: the target does not start
SETTINGS = {"controller_precopy_interval_seconds": 2, "controller_enable_change_tracking": True}


@pytest.fixture(scope="module")
def settings(module_cluster):
    """Rounds follow each other at once, and what the source lacks is switched on."""
    module_cluster.kubectl("patch", "forkliftcontroller", "forklift-controller", "-n", "openshift-mtv", "--type=merge", "-p",
                           json.dumps({"spec": SETTINGS}))


@pytest.fixture(scope="module")
def vcenter(new_vcenter, tiny_guest, random_disk, tmp_path_factory):
    """Two running VMs with a boot disk, which the guest leaves alone, and a disk of odd size, which it writes to."""
    home = tmp_path_factory.mktemp("disks")
    vms = []
    for number, name in enumerate(("moves", "returns", "heavy")):
        boot = tiny_guest(home / f"{name}-boot.raw", extra_sectors=1)
        data = random_disk(home / f"{name}-data.raw", DATA // 512, seed=number)
        vms.append({"name": name, "powerOn": True, "memoryMB": TOO_MUCH if name == "heavy" else 128, "hostName": name,
                    "disks": [{"file": str(boot)}, {"file": str(data)}],
                    "nics": [{"network": "VM Network", "mac": f"00:50:56:0e:00:0{number + 1}"}]})
    return new_vcenter(vms=vms)


def in_vcenter(vcenter, vm):
    """Power state and snapshots of a VM, in vCenter's own words."""
    wanted = "<type>VirtualMachine</type><pathSet>runtime.powerState</pathSet><pathSet>snapshot</pathSet>"
    return Administrator(vcenter).call(
        "RetrieveProperties", "PropertyCollector", "propertyCollector",
        f'<specSet><propSet>{wanted}</propSet><objectSet><obj type="VirtualMachine">{vcenter.vms[vm]["id"]}</obj></objectSet></specSet>')


def changing_calls(vcenter):
    """How often vCenter was told to change something, in the journal's words; a kind of call that the journal has no word for is named."""
    words = {"CreateSnapshot_Task": "snapshot made", "CreateSnapshotEx_Task": "snapshot made", "RemoveSnapshot_Task": "snapshots removed",
             "ReconfigVM_Task": "change tracking asked for", "ShutdownGuest": "guest asked to shut down", "PowerOffVM_Task": "power cut",
             "PowerOnVM_Task": "powered on"}
    calls = vcenter.log()["calls"]
    return collections.Counter({words.get(call, call): count for call, count in calls.items() if call in words or call.endswith("_Task")})


class Warm(Run):
    """A warm plan of one VM whose guest writes."""

    plan_name = None  # as the Run's, unless it is another migration of the same plan

    def vm_status(self):
        vms = self.kubectl.get("plan", self.plan_name or self.name)["status"].get("migration", {}).get("vms", [])
        return vms[0] if vms else {}

    def plan(self, **more):
        return super().plan(warm=True, **more)

    def write(self, seed):
        self.vcenter.guest({"name": self.vm}, disk=2001, seed=seed, every=100, span=CHANGING)
        return self

    def warm(self):
        return self.vm_status().get("warm", {})

    def precopied(self, rounds):
        waiting.until(lambda: f"{rounds} precopies, but {self.vm_status().get('phase')} {self.warm()}",
                      lambda: self.warm().get("successes", 0) >= rounds, waiting.LONG)
        return self

    def cut_over(self):
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        self.kubectl("patch", "migration", self.name, "-n", "openshift-mtv", "--type=merge", "-p",
                     json.dumps({"spec": {"cutover": now}}))
        return self

    def check_target(self, directory):
        """The target's disks are what the source's are now."""
        for index, (image, key) in enumerate(zip(map(pathlib.Path, self.target_disks()), (2000, 2001))):
            source = directory / f"{self.name}-{index}.raw"
            self.vcenter.export({"name": self.vm}, key, source, "")
            assert sha256(image) == sha256_padded(source, image.stat().st_size), f"disk {index}"


def test_a_running_vm_moves_with_every_byte_that_it_had(cluster, settings, vcenter, tmp_path):
    before = changing_calls(vcenter)
    run = Warm(cluster, vcenter, "moves", "moves").prepare().write(seed=7).start().precopied(3)
    waiting.until("snapshot of ours, which each round removes and makes anew", lambda: "gantry:" in in_vcenter(vcenter, "moves"), every=0.02)
    assert run.step("DiskTransfer")["phase"] == "Running"  # until the cutover
    run.cut_over()
    status = run.finish()
    assert run.journal(vcenter.vms["moves"]["id"]) == changing_calls(vcenter) - before
    run.booted()
    run.stop_machine()
    run.check_target(tmp_path)
    precopies = status["warm"]["precopies"]
    assert len(precopies) == status["warm"]["successes"] >= 4 and all(one["end"] and one["snapshot"] for one in precopies)
    assert [step["phase"] for step in status["pipeline"]] == ["Completed"] * len(status["pipeline"])
    transfer = next(step for step in status["pipeline"] if step["name"] == "DiskTransfer")
    passes = [int(transfer["annotations"][f"precopy-{number}"].split()[0]) for number in (1, 2, 3)]
    assert passes[0] >= DATA > max(passes[1:]), passes  # each round after the first reads what has changed


def test_what_is_changed_while_it_waits_counts_and_a_cancelled_vm_runs_on_without_our_snapshots(cluster, settings, vcenter):
    def set_interval(seconds):
        cluster.kubectl("patch", "forkliftcontroller", "forklift-controller", "-n", "openshift-mtv", "--type=merge", "-p",
                        json.dumps({"spec": {"controller_precopy_interval_seconds": seconds}}))

    def set_cutover(**spec):
        cluster.kubectl("patch", "migration", "returns", "-n", "openshift-mtv", "--type=merge", "-p", json.dumps({"spec": spec}))

    def is_due_in(seconds):
        due = run.warm().get("nextPrecopyAt")
        return due and calendar.timegm(time.strptime(due, "%Y-%m-%dT%H:%M:%SZ")) > time.time() + seconds

    before = changing_calls(vcenter)
    run = Warm(cluster, vcenter, "returns", "returns").prepare().write(seed=8).start().precopied(1)
    set_interval(86400)
    waiting.until("a precopy in a day", lambda: is_due_in(80000))
    later = time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime(time.time() + 7200))
    set_cutover(cutover=later, vmCutover=[{"id": vcenter.vms["returns"]["id"], "cutover": later}])
    set_cutover(cutover=None, vmCutover=None)  # and taken back
    done = run.warm()["successes"]
    set_interval(2)
    run.precopied(done + 1)
    assert "poweredOn" in in_vcenter(vcenter, "returns")
    cluster.kubectl("delete", "migration", "returns", "-n", "openshift-mtv")
    waiting.until("end of the migration", lambda: run.vm_status().get("completed"), waiting.LONG)
    assert "poweredOn" in in_vcenter(vcenter, "returns")
    assert "gantry:" not in in_vcenter(vcenter, "returns")
    assert run.journal(vcenter.vms["returns"]["id"]) == changing_calls(vcenter) - before


def test_a_target_that_does_not_start_gives_way_to_its_source_and_the_next_try_reads_only_changes(cluster, settings, vcenter, tmp_path):
    def set_deadline(seconds):
        cluster.kubectl("patch", "forkliftcontroller", "forklift-controller", "-n", "openshift-mtv", "--type=merge", "-p",
                        json.dumps({"spec": {"controller_target_start_timeout": seconds}}))

    cluster.allow("step failed", "did not start", "cannot be started", "memory")
    set_deadline(5)
    run = Warm(cluster, vcenter, "heavy", "heavy").prepare().write(seed=9).start().precopied(1).cut_over()
    run.finish("Failed")
    assert "did not start within 5 seconds" in json.dumps(run.vm_status()["error"])
    set_deadline(600)
    assert "poweredOn" in in_vcenter(vcenter, "heavy") and "gantry:" not in in_vcenter(vcenter, "heavy")
    Administrator(vcenter).task("ReconfigVM_Task", "VirtualMachine", vcenter.vms["heavy"]["id"], "<spec><memoryMB>128</memoryMB></spec>")
    run.write(seed=10)
    run.plan_name, run.name = run.name, "heavy-again"
    cluster.kubectl.apply(manifests.migration(run.name, run.plan_name))
    run.precopied(1).cut_over()
    status = run.finish()
    transfer = next(step for step in status["pipeline"] if step["name"] == "DiskTransfer")
    assert int(transfer["annotations"]["precopy-1"].split()[0]) < DATA // 2, transfer["annotations"]
    run.booted()
    run.stop_machine()
    run.check_target(tmp_path)
