"""What may happen to a migration between its start and its end: queues, limits that change, cancelling, restarts, kills, archives, deletions."""
import json
import os
import pathlib
import random
import subprocess

import pytest

from harness import manifests, waiting
from harness.cluster import KubectlError, condition_of
from harness.killed_controller import KilledController
from harness.vcenter import ESTATE_HOSTS, estate

MEBIBYTE = 1 << 20


@pytest.fixture(scope="module")
def vcenter(new_vcenter, tmp_path_factory):
    """Thirty running VMs, a small disk each: ten to a host, and the first of them on the stand-alone one."""
    home = tmp_path_factory.mktemp("disks")
    vms = []
    for number in range(30):
        disk = home / f"{number}.raw"
        disk.write_bytes(random.Random(number).randbytes(2 * MEBIBYTE))
        vms.append({"name": f"vm{number}", "powerOn": True, "memoryMB": 64, "cpus": 1, "host": ESTATE_HOSTS[number // 10], "hostName": "guest",
                    "ipAddress": "192.0.2.10", "disks": [{"file": str(disk)}],
                    "nics": [{"network": "VM Network", "mac": f"00:50:56:0b:00:{number:02x}"}]})
    return new_vcenter(**estate(vms))


class Site:
    """One cluster with a provider and maps for it; plans come and go."""

    def __init__(self, cluster, vcenter):
        self.cluster, self.vcenter, self.kubectl = cluster, vcenter, cluster.kubectl
        self.kubectl.apply(manifests.secret("site", vcenter.user, vcenter.password, thumbprint=vcenter.sha1),
                           manifests.provider("site", vcenter.url))
        self.kubectl.condition("provider", "site", "Ready")
        self.kubectl.apply(manifests.network_map("site", "site", [({"name": "VM Network"}, "pod")]),
                           manifests.storage_map("site", "site", [{"name": name} for name in vcenter.datastores]))
        self.kubectl.condition("networkmap", "site", "Ready")
        self.kubectl.condition("storagemap", "site", "Ready")

    def plan(self, name, *numbers, target="default"):
        self.kubectl.apply(manifests.plan(name, "site", [{"name": f"vm{number}"} for number in numbers], network="site", storage="site",
                                          target=target, skipGuestConversion=True, targetPowerState="off"))
        self.kubectl.condition("plan", name, "Ready")

    def migrate(self, plan, name=None):
        self.kubectl.apply(manifests.migration(name or plan, plan))

    def settings(self, **spec):
        self.kubectl.apply({"apiVersion": manifests.API, "kind": "ForkliftController",
                            "metadata": {"name": "forklift-controller", "namespace": manifests.NAMESPACE}, "spec": spec})

    def hold(self):
        """Copies begin, and stand still until release()."""
        self.vcenter.fault("hold-after", count=-1, bytes=65536, where="folder", match="-flat")

    def release(self):
        self.vcenter.lift("hold-after")

    def vms(self, plan):
        found = self.kubectl.get("plan", plan)["status"].get("migration", {}).get("vms", [])
        return {vm["name"]: vm for vm in found}

    def phase(self, plan, number):
        return self.vms(plan).get(f"vm{number}", {}).get("phase")

    def until_phase(self, plan, number, phase):
        waiting.until(lambda: f"{phase} of vm{number}: {json.dumps(self.vms(plan).get(f'vm{number}'))}",
                      lambda: self.phase(plan, number) == phase)

    def end(self, migration):
        def ended():
            found = self.kubectl.get("migration", migration)
            return next((state for state in ("Succeeded", "Failed", "Canceled") if condition_of(found, state)), None)

        return waiting.until(f"end of migration {migration}", ended)

    def power(self, number):
        return self.vcenter.power_of(f"vm{number}")

    def until_power(self, number, wanted):
        waiting.until(f"power {wanted} of vm{number}", lambda: self.power(number) == wanted)

    def children(self, plan_uid, *kinds, namespace="default"):
        return [f"{kind}/{thing['metadata']['name']}" for kind in kinds
                for thing in self.kubectl.get(kind, namespace=namespace, selector=f"plan={plan_uid}")]

    def uid(self, plan):
        return self.kubectl.get("plan", plan)["metadata"]["uid"]


@pytest.fixture(scope="module")
def site(module_cluster, vcenter):
    return Site(module_cluster, vcenter)


def is_state(vm, wanted):
    return any(condition["type"] == wanted and condition["status"] == "True" for condition in vm.get("conditions", []))


def pending(vm):
    return next((condition["message"] for condition in vm.get("conditions", []) if condition["type"] == "Pending"), "")


# ---- scheduling


@pytest.fixture(scope="module")
def queue(site):
    """A plan whose first host takes one VM at a time, so that two of its three VMs there wait while copies stand still everywhere."""
    site.settings(controller_max_vm_inflight=1)
    site.hold()
    site.plan("queue", 0, 1, 2, 10, 20)
    site.migrate("queue")
    for number in (10, 20):
        site.until_phase("queue", number, "CopyDisks")
    waiting.until("two queued VMs", lambda: sum(bool(pending(vm)) for vm in site.vms("queue").values()) == 2)
    return site


def test_a_full_host_queues_its_vms_and_holds_up_no_other(cluster, queue, gantry):
    places = [pending(vm) for vm in queue.vms("queue").values() if pending(vm)]
    assert sorted(text.split(" in ")[0] for text in places) == ["Place 1", "Place 2"], places
    assert all("carries 1 of 1 disks (controller_max_vm_inflight)" in text for text in places), places
    shown = subprocess.run([gantry, "progress", "--plan", "queue"], env={**os.environ, "KUBECONFIG": str(cluster.kubectl.kubeconfig)},
                           text=True, stdout=subprocess.PIPE, check=True).stdout
    assert "Place 1 in the queue of its host" in shown, shown


def test_a_running_plan_cannot_be_edited_nor_deleted(cluster, queue):
    for refused in (["patch", "plan", "queue", "--type=merge", "-p", '{"spec": {"targetNamespace": "elsewhere"}}'], ["delete", "plan", "queue"]):
        with pytest.raises(KubectlError, match="is running"):
            cluster.kubectl(*refused, "-n", manifests.NAMESPACE)


def test_metrics_say_what_runs_and_waits(cluster, queue):
    pod = next(pod["metadata"]["name"] for pod in cluster.kubectl.get("pod") if pod["metadata"]["name"].startswith("forklift-controller"))
    queued = f'gantry_vms_queued{{plan="{queue.uid("queue")}",plan_name="queue"}} 2'

    def metrics():
        """As soon as the controller has seen what it wrote."""
        text = cluster.kubectl("get", "--raw", f"/api/v1/namespaces/{manifests.NAMESPACE}/pods/{pod}:2112/proxy/metrics")
        return text if queued in text and 'mtv_workload_migrations{status="Executing"} ' in text else None

    text = waiting.until(queued, metrics)
    assert 'mtv_workload_plans{status="Executing"} ' in text
    assert "# TYPE mtv_migrations_duration_seconds histogram" in text
    for name in ("gantry_vm_copied_bytes", "gantry_vm_owed_bytes", "gantry_vm_copy_bytes_per_second", "mtv_plans_status",
                 "mtv_migrated_vms_total", "mtv_planned_vms_total", "mtv_migrations_status_total", "mtv_plan_alert_status"):
        assert f"# TYPE {name} " in text, name


@pytest.fixture(scope="module")
def raised(queue):
    queue.settings(controller_max_vm_inflight="2", controller_max_vm_infligth=7)
    return queue


def test_limits_and_unknown_settings_take_effect_at_once(cluster, raised):
    waiting.until("a second VM on the host", lambda: sum(bool(raised.vms("queue")[f"vm{number}"].get("started")) for number in (0, 1, 2)) == 2)
    condition = cluster.kubectl.condition("forkliftcontroller", "forklift-controller", "SettingUnknown")
    assert condition["items"] == ["controller_max_vm_infligth"]
    spec = cluster.kubectl.get("forkliftcontroller", "forklift-controller")["spec"]
    assert spec["controller_max_vm_infligth"] == 7, "unknown settings are kept"


# ---- cancelling, restarting


@pytest.fixture(scope="module")
def finished(raised, vcenter):
    """Two of the five are cancelled, one by name and one by id, and the rest let go."""
    raised.kubectl("patch", "migration", "queue", "-n", manifests.NAMESPACE, "--type=merge", "-p", json.dumps(
        {"spec": {"cancel": [{"name": "vm10"}, {"id": vcenter.vms["vm20"]["id"]}]}}))
    for number in (10, 20):
        waiting.until(f"cancelled vm{number}", lambda n=number: raised.vms("queue")[f"vm{n}"].get("completed"))
    raised.release()
    assert raised.end("queue") == "Succeeded"
    raised.first = raised.vms("queue")
    raised.powers = {number: raised.power(number) for number in (0, 1, 2, 10, 20)}
    return raised


def test_one_vm_is_cancelled_by_name_and_one_by_id(cluster, finished):
    for number in (10, 20):
        assert is_state(finished.first[f"vm{number}"], "Canceled") and finished.powers[number] == "poweredOn"
    for number in (0, 1, 2):
        assert is_state(finished.first[f"vm{number}"], "Succeeded") and finished.powers[number] == "poweredOff"
    assert not condition_of(cluster.kubectl.get("plan", "queue"), "Executing")


@pytest.fixture(scope="module")
def restarted(finished, vcenter):
    vcenter.forget()
    finished.migrate("queue", "queue-again")
    assert finished.end("queue-again") == "Succeeded"
    finished.reads = {name: vcenter.reads(name, 0)["requests"] for name in finished.first}
    finished.calls = vcenter.log()["calls"]
    return finished


def test_a_new_migration_takes_only_what_is_not_done(cluster, restarted):
    assert all(is_state(vm, "Succeeded") for vm in restarted.vms("queue").values())
    assert {name for name, requests in restarted.reads.items() if requests} == {"vm10", "vm20"}
    assert restarted.calls.get("ShutdownGuest") == 2
    machines = {machine["metadata"]["name"] for machine in cluster.kubectl.get("virtualmachine", namespace="default")}
    assert {"vm0", "vm1", "vm2", "vm10", "vm20"} <= machines


def test_an_archive_takes_what_is_temporary_and_nothing_else(cluster, restarted):
    uid = restarted.uid("queue")
    assert restarted.children(uid, "pod", "pvc")
    cluster.kubectl("patch", "plan", "queue", "-n", manifests.NAMESPACE, "--type=merge", "-p", '{"spec": {"archived": true}}')
    cluster.kubectl.condition("plan", "queue", "Archived")
    waiting.until(lambda: f"end of {restarted.children(uid, 'pod', 'secret', 'configmap')}",
                  lambda: not restarted.children(uid, "pod", "secret", "configmap"))
    assert len(restarted.children(uid, "virtualmachine")) == 5 and len(restarted.children(uid, "datavolume")) == 5
    waiting.until("end of the record", lambda: not restarted.children(uid, "configmap", namespace=manifests.NAMESPACE))
    with pytest.raises(KubectlError, match="archived"):
        restarted.migrate("queue", "queue-third")


def test_a_deleted_migration_puts_everything_back(cluster, site):
    site.hold()
    site.plan("undo", 3, 11, target="made-for-it")
    site.migrate("undo")
    for number in (3, 11):
        site.until_phase("undo", number, "CopyDisks")
        assert site.power(number) == "poweredOff"
    cluster.kubectl("delete", "migration", "undo", "-n", manifests.NAMESPACE)
    cluster.kubectl.condition("plan", "undo", "Canceled")
    for number in (3, 11):
        site.until_power(number, "poweredOn")
        assert is_state(site.vms("undo")[f"vm{number}"], "Canceled")
    waiting.until("end of the importers", lambda: not [
        name for name in site.children(site.uid("undo"), "pod", namespace="made-for-it") if name.startswith("pod/importer-")])
    assert cluster.kubectl.get("namespace", "made-for-it"), "a target namespace is made, and never deleted"
    site.release()


def test_a_plan_deleted_while_it_runs_is_backed_out_of(cluster, site, vcenter):
    """Past admission, as when its namespace goes: the plan's status no longer says that it runs when the deletion is judged."""
    site.hold()
    site.plan("gone", 4, 12)
    site.migrate("gone")
    for number in (4, 12):
        site.until_phase("gone", number, "CopyDisks")
    uid = site.uid("gone")
    vcenter.forget()

    def deleted():
        cluster.kubectl("patch", "plan", "gone", "-n", manifests.NAMESPACE, "--subresource=status", "--type=merge", "-p",
                        '{"status": {"conditions": []}}')
        return cluster.kubectl("delete", "plan", "gone", "-n", manifests.NAMESPACE, "--wait=false", check=False).returncode == 0

    waiting.until("deletion of the plan", deleted)
    for number in (4, 12):
        site.until_power(number, "poweredOn")
    kinds = ("pod", "secret", "configmap", "pvc", "datavolume", "virtualmachine")
    waiting.until(lambda: f"end of {site.children(uid, *kinds)}", lambda: not site.children(uid, *kinds))
    waiting.until("end of the record", lambda: not site.children(uid, "configmap", namespace=manifests.NAMESPACE))
    assert vcenter.log()["calls"].get("PowerOnVM_Task") == 2
    assert not {"Destroy_Task", "UnregisterVM"} & set(vcenter.log()["calls"])
    site.release()


# ---- kills


def controller_of(cluster):
    """The process of the controller's container."""
    for pid in cluster.processes():
        try:
            if pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[1:2] == [b"controller"]:
                return pid
        except OSError:
            continue
    raise AssertionError("there is no controller")


def test_a_controller_killed_at_every_phase_boundary_does_nothing_twice(cluster, site, vcenter, tmp_path):
    """Two VMs, and SIGKILL whenever one of them is the first to get into a phase. (In memory, src/plan/execution_test.c kills at every pass.)"""
    cluster.allow("controller", "forklift-controller", "HTTP|cannot|answered|lease|Lease")
    vcenter.forget()
    vcenter.fault("slow-shutdown", count=-1, milliseconds=3000)
    site.hold()
    site.plan("kills", 5, 13)

    def ended():
        if b"CopyDisks" in controller.killed:
            site.release()
        migration = cluster.kubectl.get("migration", "kills")
        return any(condition_of(migration, state) for state in ("Succeeded", "Failed", "Canceled"))

    with KilledController(controller_of(cluster), tmp_path / "controller.log") as controller:
        site.migrate("kills")
        killed = controller.run("kills", ended)
    print("killed at", killed)
    vcenter.lift("slow-shutdown")
    assert {b"WaitForPowerOff", b"CopyDisks"} <= set(killed), "these last long enough to be seen"
    calls = vcenter.log()["calls"]
    assert calls.get("ShutdownGuest") == 2 and not calls.get("PowerOffVM_Task") and not calls.get("PowerOnVM_Task"), calls
    uid = site.uid("kills")
    assert len(site.children(uid, "virtualmachine")) == 2 and len(site.children(uid, "datavolume")) == 2
    importers = [name for name in site.children(uid, "pod") if name.startswith("pod/importer-")]
    assert len(importers) == 2, "one importer per disk"
    for name in ("vm5", "vm13"):
        assert is_state(site.vms("kills")[name], "Succeeded")


def test_progress_says_stalled_and_never_all_of_what_failed(cluster, site, vcenter):
    cluster.allow("copy", "step failed", "importer")
    site.settings(controller_stalled_after=2, controller_importer_retry=0)
    site.hold()
    site.plan("slow", 6)
    site.migrate("slow")

    def stalled():
        step = next((s for s in site.vms("slow").get("vm6", {}).get("pipeline", []) if s["name"] == "DiskTransfer"), {})
        return step if "Stalled: no byte for" in step.get("reason", "") else None

    step = waiting.until("a stalled copy", stalled)
    assert step["annotations"]["bytesTotal"] == str(2 * MEBIBYTE) and int(step["annotations"]["bytes"]) < 2 * MEBIBYTE
    assert step["progress"]["completed"] < step["progress"]["total"]
    cluster.kubectl("delete", "migration", "slow", "-n", manifests.NAMESPACE)
    cluster.kubectl.condition("plan", "slow", "Canceled")
    site.release()
    step = next(s for s in site.vms("slow")["vm6"]["pipeline"] if s["name"] == "DiskTransfer")
    assert step["progress"]["completed"] < step["progress"]["total"] and step["phase"] != "Completed"
