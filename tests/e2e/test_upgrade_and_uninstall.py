"""Gantry is upgraded and removed while plans run: a migration goes on, and an uninstall puts every source back and keeps what was moved."""
import json

import pytest

from harness import manifests, waiting
from harness.migration import MEBIBYTE, Run
from harness.vsphere import Administrator

SETTINGS = {"controller_precopy_interval_seconds": 2, "controller_enable_change_tracking": True}
TEMPORARY = ("pods", "jobs", "secrets", "configmaps", "pvc", "datavolumes", "virtualmachines")


def vm(name, files, power, mac):
    return {"name": name, "powerOn": power, "memoryMB": 128, "disks": [{"file": str(one)} for one in files],
            "nics": [{"network": "VM Network", "mac": mac}]}


@pytest.fixture(scope="module")
def vcenter(new_vcenter, random_disk, tmp_path_factory):
    """One VM that is off, and two that run."""
    home = tmp_path_factory.mktemp("disks")
    sizes = {"moved": 4, "followed": 8, "copied": 96}
    disks = {name: random_disk(home / f"{name}.raw", size * MEBIBYTE // 512, seed=size) for name, size in sizes.items()}
    return new_vcenter(vms=[vm(name, [disk], name != "moved", f"00:50:56:0d:00:0{number}") for number, (name, disk) in enumerate(disks.items())])


class Plan(Run):
    """Of one VM, whose name it has."""

    def __init__(self, cluster, vcenter, vm, **more):
        super().__init__(cluster, vcenter, vm, vm)
        self.more = more

    def plan(self, **more):
        return super().plan(**self.more, **more)

    def annotate(self, text):
        self.kubectl("annotate", "plan", self.name, "-n", manifests.NAMESPACE, text)
        return self

    def is_limited(self):
        step = self.step("DiskTransfer")
        return step and step["tasks"] and "Limited to" in step["tasks"][0].get("reason", "")

    def rounds(self):
        return self.vm_status().get("warm", {}).get("successes", 0)

    def source(self):
        """Power state and snapshots, in vCenter's own words."""
        wanted = "<type>VirtualMachine</type><pathSet>runtime.powerState</pathSet><pathSet>snapshot</pathSet>"
        return Administrator(self.vcenter).call(
            "RetrieveProperties", "PropertyCollector", "propertyCollector",
            f'<specSet><propSet>{wanted}</propSet><objectSet><obj type="VirtualMachine">{self.vcenter.vms[self.vm]["id"]}</obj></objectSet></specSet>')


@pytest.fixture(scope="module")
def plans(module_cluster, vcenter):
    """A plan that has succeeded, a warm one between its rounds, and a cold one in the middle of its copy; with the rights that the services have on a cluster."""
    module_cluster.kubectl("delete", "clusterrolebinding", "gantry:services", "--ignore-not-found")
    module_cluster.kubectl("patch", "forkliftcontroller", "forklift-controller", "-n", manifests.NAMESPACE, "--type=merge", "-p", json.dumps({"spec": SETTINGS}))
    moved, followed, copied = Plan(module_cluster, vcenter, "moved"), Plan(module_cluster, vcenter, "followed", warm=True), Plan(module_cluster, vcenter, "copied")
    for one in (followed, copied, moved):
        one.prepare()
    copied.annotate("gantry.io/bandwidth-limit=100k")  # it would take a quarter of an hour
    for one in (followed, copied, moved):
        one.start()
    moved.finish()
    waiting.until("snapshot of ours", lambda: "gantry:" in followed.source(), waiting.LONG, every=0.05)
    waiting.until("copy of a VM that is off", lambda: copied.is_limited() and "poweredOff" in copied.source(), waiting.LONG)
    return moved, followed, copied


def test_what_is_temporary_belongs_to_the_installation_and_a_vm_that_was_moved_does_not(cluster, kubectl, plans):
    def owners(kind, name):
        return {owner["kind"] for one in kubectl.get(kind, namespace="default", selector=f"plan-name={name}")
                for owner in one["metadata"].get("ownerReferences", [])}

    assert owners("pods", "copied") == owners("secrets", "copied") == owners("datavolumes", "copied") == {"Namespace"}
    assert owners("datavolumes", "moved") == {"VirtualMachine"} and not owners("virtualmachines", "moved")


def test_an_upgrade_lets_a_plan_run_on(cluster, kubectl, plans):
    """The operator of a newer version finds an installation of the release before, and the controller's Pod is replaced."""
    _, followed, copied = plans
    cluster.allow("HTTP|cannot|answered|lease|Lease|inventory")  # the new Pod's controller may ask before its inventory answers
    selector = "app.kubernetes.io/name=forklift-controller"
    before = {pod["metadata"]["name"] for pod in kubectl.get("pods", selector=selector)}
    version = kubectl.get("deployment", "forklift-controller")["metadata"]["annotations"]["gantry.io/version"]
    importers = {pod["metadata"]["uid"] for pod in kubectl.get("pods", namespace="default", selector="plan-name=copied")}
    kubectl("annotate", "--overwrite", "deployment/forklift-controller", "-n", manifests.NAMESPACE, "gantry.io/version=2.2.0")
    kubectl("rollout", "restart", "deployment/forklift-controller", "-n", manifests.NAMESPACE)
    waiting.until("this version", lambda: kubectl.get("deployment", "forklift-controller")["metadata"]["annotations"]["gantry.io/version"] == version)
    waiting.until("another Pod alone", lambda: (now := {pod["metadata"]["name"] for pod in kubectl.get("pods", selector=selector)}) and not now & before)
    done = followed.rounds()
    waiting.until(lambda: f"rounds after {done}: {followed.vm_status()}", lambda: followed.rounds() > done, waiting.LONG)
    assert importers and not followed.ended() and not copied.ended()
    assert {pod["metadata"]["uid"] for pod in kubectl.get("pods", namespace="default", selector="plan-name=copied")} == importers


def test_the_guides_uninstall_ends_while_plans_run_and_puts_their_sources_back(cluster, kubectl, plans):
    moved, followed, copied = plans
    cluster.allow(".")  # services say what they miss while everything goes
    kubectl("delete", "namespace", manifests.NAMESPACE, timeout=waiting.LONG)
    kubectl("delete", *[name for name in kubectl("get", "crd", "-o", "name").split() if "forklift" in name], timeout=waiting.LONG)
    for one in (followed, copied):
        assert "poweredOn" in one.source() and "gantry:" not in one.source(), one.source()
    machine = moved.machine()
    kept = {moved.vm, *(volume["dataVolume"]["name"] for volume in machine["spec"]["template"]["spec"]["volumes"] if "dataVolume" in volume)}

    def left():
        return [f'{kind}/{one["metadata"]["name"]}' for kind in TEMPORARY for one in kubectl.get(kind, namespace="default", selector="plan")
                if one["metadata"]["name"] not in kept]

    waiting.until(lambda: f"end of {left()}", lambda: not left())
    assert len(kept) == 2 and {one["metadata"]["name"] for one in kubectl.get("pvc", namespace="default", selector="plan")} <= kept
    assert moved.target_disks()
