"""Warm migrations while everything goes wrong at once, by seeds: the target equals the source at its power-off, or the migration stops with a reason, the source runs on
without snapshots of ours, and a new migration without faults ends well.

GANTRY_SEED begins the seeds (they are printed), GANTRY_WARM_SCHEDULES says how many are run: 8, or 200 in ./test soak. Eight go side by side.
"""
import json
import os
import pathlib
import random
import re
import signal
import time

import pytest

from harness import manifests, waiting
from harness.cluster import condition_of
from harness.migration import sha256, sha256_padded
from harness.vsphere import Administrator

SIDE_BY_SIDE = 8
FIRST = int(os.environ["GANTRY_SEED"])
COUNT = int(os.environ.get("GANTRY_WARM_SCHEDULES", str(SIDE_BY_SIDE)))
SETTINGS = {"controller_precopy_interval_seconds": 1, "controller_enable_change_tracking": True, "controller_importer_retry": 6}
NOW = "2026-01-01T00:00:00Z"


class Source:
    """A running VM of some disks, whose guest writes, and what happens to it; all by its seed."""

    def __init__(self, seed, index):
        self.seed, self.name = seed, f"seed-{seed}"
        self.random = random.Random(seed)
        self.rounds = self.random.randint(1, 2)
        self.sectors = [self.random.randint(1, 6 << 11) for _ in range(self.random.randint(1, 2))]
        self.deltas = self.random.choice(["seSparse", "vmfsSparse"])
        self.datastore = self.random.choice(["datastore1", "datastore1", "datastore1", "objects"])
        self.index = index
        # Before the cutover, and in it: seconds after what begins it, and what happens.
        self.trouble = sorted((self.random.uniform(0, 8), self.random.choice(TROUBLE)) for _ in range(self.random.randint(1, 3)))
        self.late = sorted((self.random.uniform(0, 5), self.random.choice(TROUBLE + [cancel])) for _ in range(self.random.randint(0, 2)))
        self.runs, self.cutover_at, self.begun, self.done = [], None, None, []

    def make(self, random_disk, home):
        disks = [str(random_disk(home / f"{self.name}-{number}.raw", sectors, seed=self.seed + number)) for number, sectors in enumerate(self.sectors)]
        return {"name": self.name, "powerOn": True, "hostName": self.name, "deltas": self.deltas,
                "disks": [{"file": disk, "datastore": self.datastore} for disk in disks],
                "nics": [{"network": "VM Network", "mac": f"00:50:56:5e:{self.index >> 8:02x}:{self.index & 255:02x}"}]}

    def write(self, vcenter):
        vcenter.guest({"name": self.name}, disk=2000 + self.random.randrange(len(self.sectors)), seed=self.random.randrange(1 << 30),
                      every=self.random.randint(20, 120))

    def __str__(self):
        return f"seed {self.seed}: disks of {self.sectors} sectors on {self.datastore}, {self.deltas}, {self.rounds} precopies; {', '.join(self.done)}"


# ---- what goes wrong ----------------------------------------------------------------------------------------------


class Stage:
    """Where it all happens."""

    def __init__(self, cluster, vcenter):
        self.cluster, self.vcenter = cluster, vcenter
        self.administrator = Administrator(vcenter)

    def snapshots(self, source):
        """(id, name) of each of a VM's snapshots, parents first."""
        return re.findall(r"<snapshot type=\"VirtualMachineSnapshot\">([^<]+)</snapshot><vm[^>]*>[^<]*</vm><name>([^<]*)</name>",
                          self.administrator.value("VirtualMachine", self.vcenter.vms[source.name]["id"], "snapshot"))

    def ours(self, source):
        return [identity for identity, name in self.snapshots(source) if name.startswith("gantry:")]

    def end(self, *words):
        """SIGKILL of one of the processes of Pods whose command has these words."""
        found = []
        for pid in self.cluster.processes():
            try:
                command = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")
            except OSError:
                continue
            if command[0].endswith("gantry") and command[1:1 + len(words)] == list(words):
                found.append(pid)
        for pid in sorted(found)[:1]:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass


def somebody_removes_our_snapshot(stage, source):
    for identity in stage.ours(source)[-1:]:
        stage.administrator.task("RemoveSnapshot_Task", "VirtualMachineSnapshot", identity, "<removeChildren>false</removeChildren>")


def somebody_makes_a_snapshot(stage, source):
    stage.administrator.snapshot(stage.vcenter.vms[source.name]["id"], "a backup")


def somebody_reverts_to_our_snapshot(stage, source):
    for identity in stage.ours(source)[-1:]:
        if stage.vcenter.power_of(source.name) == "poweredOn":
            stage.administrator.task("RevertToSnapshot_Task", "VirtualMachineSnapshot", identity)


def tracking_begins_anew(stage, source):
    stage.vcenter.reset_tracking({"name": source.name})


def sessions_end(stage, source):
    stage.vcenter.fault("expire-sessions")
    stage.administrator.log_in()


def a_copier_is_killed(stage, source):
    stage.end("copy")


def the_controller_is_killed(stage, source):
    stage.end("controller")


def bodies_break(stage, source):
    stage.vcenter.fault("drop-mid-body", match=source.name, count=2)


def files_are_refused(stage, source):
    stage.vcenter.fault("status", where="folder", match=source.name, status=503, count=3)


def consolidation_is_left_undone(stage, source):
    stage.vcenter.fault("no-consolidation", match=source.name)


def cancel(stage, source):
    stage.cluster.kubectl("delete", "migration", source.runs[-1], "-n", "openshift-mtv", "--wait=false")


TROUBLE = [somebody_removes_our_snapshot, somebody_makes_a_snapshot, somebody_reverts_to_our_snapshot, tracking_begins_anew, sessions_end,
           a_copier_is_killed, the_controller_is_killed, bodies_break, files_are_refused, consolidation_is_left_undone]


def strike(stage, source, list_of_trouble, since):
    while list_of_trouble and time.monotonic() - since > list_of_trouble[0][0]:
        _, happens = list_of_trouble.pop(0)
        source.done.append(f"{happens.__name__.replace('_', ' ')} at {time.monotonic() - source.begun:.1f} s")
        try:
            happens(stage, source)
        except RuntimeError as refused:  # a snapshot that is gone again, a session that another schedule has ended
            source.done[-1] += f" ({str(refused)[:60]})"
            stage.administrator.log_in()


# ---- a batch ------------------------------------------------------------------------------------------------------


def migrate(stage, source, cutover=None):
    name = f"{source.name}-{len(source.runs) + 1}"
    migration = manifests.migration(name, source.name)
    if cutover:
        migration["spec"]["cutover"] = cutover
    source.runs.append(name)
    stage.cluster.kubectl.apply(migration)


def states(stage):
    """Of each plan: its VM's status, and how its last migration ended or None."""
    found = {}
    for plan in stage.cluster.kubectl.get("plans"):
        vms = plan.get("status", {}).get("migration", {}).get("vms", [])
        ended = next((state for state in ("Succeeded", "Failed", "Canceled") if condition_of(plan, state)), None)
        found[plan["metadata"]["name"]] = (vms[0] if vms else {}, ended, len(plan.get("status", {}).get("migration", {}).get("history", [])))
    return found


def run_all(stage, sources):
    """Runs the first migrations with their trouble; gives each one's end."""
    ends = {}

    def look():
        for source in sources:
            vm, ended, runs = states_now[source.name]
            if source.name in ends or runs < len(source.runs):
                continue
            if ended:
                ends[source.name] = ended
                source.done.append(f"{ended} at {time.monotonic() - source.begun:.1f} s")
                continue
            strike(stage, source, source.trouble, source.begun)
            if source.cutover_at is None and vm.get("warm", {}).get("successes", 0) >= source.rounds:
                stage.cluster.kubectl("patch", "migration", source.runs[-1], "-n", "openshift-mtv", "--type=merge", "-p",
                                      json.dumps({"spec": {"cutover": NOW}}))
                source.cutover_at = time.monotonic()
            elif source.cutover_at is not None:
                strike(stage, source, source.late, source.cutover_at)
        return len(ends) == len(sources)

    def there():
        left = [source for source in sources if source.name not in ends]
        return "end of " + "; ".join(f"{source}, but {json.dumps(states_now[source.name][0])[:1500]}" for source in left)

    states_now = {}

    def refresh():
        states_now.update(states(stage))
        return look()

    waiting.until(there, refresh, waiting.LONG, every=0.2)
    return ends


def target_disks(stage, source):
    """The image files of a VM's disks, in the VM's order."""
    machine = stage.cluster.kubectl.get("virtualmachine", source.name, "default")
    volumes = {volume["metadata"]["name"]: volume["spec"]["hostPath"]["path"] for volume in stage.cluster.kubectl.get("pv")}
    claims = {claim["metadata"]["name"]: claim["spec"]["volumeName"] for claim in stage.cluster.kubectl.get("pvc", namespace="default")}
    names = [volume.get("dataVolume", volume.get("persistentVolumeClaim")) for volume in machine["spec"]["template"]["spec"]["volumes"]]
    return [pathlib.Path(volumes[claims[name.get("name") or name["claimName"]]]) / "disk.img" for name in names if name]


def check_moved(stage, source, home):
    assert stage.vcenter.power_of(source.name) == "poweredOff", f"the source runs beside its target; {source}"
    images = target_disks(stage, source)
    assert len(images) == len(source.sectors), f"{source}"
    for number, image in enumerate(images):
        seen = home / "seen.raw"
        stage.vcenter.export({"name": source.name}, 2000 + number, seen, "")
        assert sha256(image) == sha256_padded(seen, image.stat().st_size), f"disk {number} is not the source's; {source}"


def check_backed_out(stage, source, vm, ended):
    assert ended == "Canceled" or vm["error"]["reasons"], f"no reason is given; {source}"
    assert stage.vcenter.power_of(source.name) == "poweredOn", f"the source does not run again; {source}"
    assert not stage.ours(source), f"a snapshot was left; {source}"


@pytest.fixture(name="stage")
def set_stage(module_cluster):
    """Rounds follow each other at once, and what the source lacks is switched on. What is said of all the trouble is not looked at, but for the sanitizers' reports."""
    module_cluster.allow("")
    module_cluster.kubectl("patch", "forkliftcontroller", "forklift-controller", "-n", "openshift-mtv", "--type=merge", "-p",
                           json.dumps({"spec": SETTINGS}))
    yield module_cluster
    complaints = module_cluster.complaints()
    assert not complaints, "\n".join(complaints)


def forget_crashes(stage):
    """A container that was killed often is started again after minutes only; the Pod that comes in its place is new to the kubelet."""
    labels = "app.kubernetes.io/name=forklift-controller"
    before = {pod["metadata"]["uid"] for pod in stage.kubectl.get("pod", selector=labels)}
    stage.kubectl("delete", "pod", "-n", "openshift-mtv", "-l", labels)
    waiting.until("another controller", lambda: [pod for pod in stage.kubectl.get("pod", selector=labels)
                                                 if pod["metadata"]["uid"] not in before and condition_of(pod, "Ready")])


@pytest.mark.parametrize("first", range(FIRST, FIRST + COUNT, SIDE_BY_SIDE))
def test_the_target_equals_the_source_or_the_source_runs_again(stage, new_vcenter, random_disk, tmp_path, first):
    if first != FIRST:
        forget_crashes(stage)
    sources = [Source(first + number, first - FIRST + number) for number in range(min(SIDE_BY_SIDE, FIRST + COUNT - first))]
    vcenter = new_vcenter(datastores=["datastore1", "objects"], vsan=["objects"], vms=[source.make(random_disk, tmp_path) for source in sources])
    name = f"vcenter-{first}"
    kubectl = stage.kubectl
    stage = Stage(stage, vcenter)
    kubectl.apply(manifests.secret(name, vcenter.user, vcenter.password, thumbprint=vcenter.sha1), manifests.provider(name, vcenter.url))
    kubectl.condition("provider", name, "Ready")
    kubectl.apply(manifests.network_map(name, name, [({"name": "VM Network"}, "pod")]), manifests.storage_map(name, name, [{"name": datastore} for datastore in vcenter.datastores]),
                  *(manifests.plan(source.name, name, [{"name": source.name}], network=name, storage=name, warm=True, skipGuestConversion=True,
                                   useCompatibilityMode=False, targetPowerState="off") for source in sources))
    for source in sources:
        kubectl.condition("plan", source.name, "Ready")
        source.write(vcenter)
        migrate(stage, source)
        source.begun = time.monotonic()
    ends = run_all(stage, sources)
    vcenter.lift()
    again = [source for source in sources if ends[source.name] != "Succeeded"]
    now = states(stage)
    for source in sources:
        print(source)
        if source in again:
            check_backed_out(stage, source, now[source.name][0], ends[source.name])
            stage.administrator.remove_snapshots(vcenter.vms[source.name]["id"])  # the backup's
            source.write(vcenter)
            migrate(stage, source, NOW)
        else:
            check_moved(stage, source, tmp_path)
    if again:
        for source, ended in run_all(stage, again).items():
            assert ended == "Succeeded", f"{source}: without trouble it has {ended}: {json.dumps(states(stage)[source][0].get('error'))}"
    for source in again:
        check_moved(stage, source, tmp_path)
    kubectl("delete", "plans,migrations,networkmaps,storagemaps,providers", "-n", "openshift-mtv", "--field-selector", "metadata.name!=host")
