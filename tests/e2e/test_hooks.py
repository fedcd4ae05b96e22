"""Hooks: playbooks that really run before and after a VM is migrated, and what becomes of a VM whose hook fails."""
import base64
import json
import re

import pytest

from harness import manifests, waiting
from harness.cluster import condition_of
from harness.vcenter import estate

READS = """\
- hosts: localhost
  gather_facts: false
  tasks:
  - include_vars: {file: /tmp/hook/plan.yml, name: plan}
  - include_vars: {file: /tmp/hook/workload.yml, name: workload}
  - debug: {msg: "hook of {{ workload.name }} ({{ workload.id }}) into {{ plan.targetNamespace }}"}
"""
REFUSES = """\
- hosts: localhost
  gather_facts: false
  tasks:
  - fail: {msg: "the change window is closed"}
"""
SLEEPS = """\
- hosts: localhost
  gather_facts: false
  tasks:
  - command: sleep 600
"""


def encoded(playbook, width=0):
    """Base64 as base64 -w WIDTH prints it, and as people indent it."""
    text = base64.b64encode(playbook.encode()).decode()
    return "\n   ".join(re.findall(f".{{1,{width}}}", text)) + "\n" if width else text


def hook(name, playbook=None, image="quay.io/konveyor/hook-runner", **more):
    spec = {"image": image, **({"playbook": playbook} if playbook else {}), **more}
    return {"apiVersion": manifests.API, "kind": "Hook", "metadata": {"name": name, "namespace": manifests.NAMESPACE}, "spec": spec}


def with_hooks(vm, **steps):
    return {"name": vm, "hooks": [{"hook": {"name": name, "namespace": manifests.NAMESPACE}, "step": step}
                                  for step, name in steps.items()]}


@pytest.fixture(scope="module")
def vcenter(new_vcenter, random_disk, tmp_path_factory):
    disk = str(random_disk(tmp_path_factory.mktemp("disks") / "disk.raw", 2048))
    return new_vcenter(**estate([
        {"name": name, "disks": [{"file": disk}], "nics": [{"network": "VM Network", "mac": f"00:50:56:0d:00:0{number}"}]}
        for number, name in enumerate(("reads", "refused", "foreign", "late", "refused-after", "unaccounted"))]))


@pytest.fixture(scope="module")
def source(module_cluster, vcenter):
    """A Ready provider with its maps, and a hook that fails is not run again."""
    kubectl = module_cluster.kubectl
    kubectl("patch", "forkliftcontroller", "forklift-controller", "-n", manifests.NAMESPACE, "--type=merge", "-p",
            '{"spec": {"controller_hook_retry": 0}}')
    kubectl.apply(manifests.secret("hooks", vcenter.user, vcenter.password, thumbprint=vcenter.sha1),
                  manifests.provider("hooks", vcenter.url))
    kubectl.condition("provider", "hooks", "Ready")
    kubectl.apply(manifests.network_map("hooks", "hooks", [({"name": "VM Network"}, "pod")]),
                  manifests.storage_map("hooks", "hooks", [{"name": name} for name in vcenter.datastores]))
    kubectl.condition("networkmap", "hooks", "Ready")
    kubectl.condition("storagemap", "hooks", "Ready")
    return "hooks"


@pytest.fixture(scope="module")
def vms(module_cluster, source):
    """One plan whose VMs have different hooks, run; the status of each VM by its name."""
    kubectl = module_cluster.kubectl
    module_cluster.allow("step failed")
    hooks = [hook("reads", encoded(READS)), hook("reads-wrapped", encoded(READS, 40)), hook("refuses", encoded(REFUSES)),
             hook("foreign", image="registry.example/own/steps:1"), hook("late", encoded(SLEEPS), deadline=3),
             hook("unaccounted", encoded(READS), serviceAccount="nobody")]
    kubectl.apply(*hooks)
    for one in hooks:
        kubectl.condition("hook", one["metadata"]["name"], "Ready")
    kubectl.apply(manifests.plan("hooked", source, [
        with_hooks("reads", PreHook="reads", PostHook="reads-wrapped"), with_hooks("refused", PreHook="refuses"),
        with_hooks("foreign", PreHook="foreign"), with_hooks("late", PreHook="late"),
        with_hooks("refused-after", PostHook="refuses"), with_hooks("unaccounted", PreHook="unaccounted")], network=source, storage=source, skipGuestConversion=True))
    kubectl.condition("plan", "hooked", "Ready")
    kubectl.apply(manifests.migration("hooked", "hooked"))
    waiting.until("end of the migration", lambda: condition_of(kubectl.get("migration", "hooked"), "Failed"), waiting.LONG)
    return {vm["name"]: vm for vm in kubectl.get("plan", "hooked")["status"]["migration"]["vms"]}


def steps(vm):
    return {step["name"]: step for step in vm["pipeline"]}


def pods(kubectl, vm, step):
    return kubectl.get("pod", selector=f"vmID={vm['id']},step={step}")


def test_a_playbook_runs_before_and_after_with_the_plan_and_the_workload(cluster, kubectl, vms):
    vm = vms["reads"]
    assert condition_of({"status": vm}, "Succeeded"), json.dumps(vm.get("error"))
    assert [step["name"] for step in vm["pipeline"]] == ["Initialize", "PreHook", "DiskTransfer", "VirtualMachineCreation", "PostHook"]
    for name in ("PreHook", "PostHook"):
        assert steps(vm)[name]["phase"] == "Completed"
        [pod] = pods(kubectl, vm, name)
        said = kubectl("logs", pod["metadata"]["name"], "-n", manifests.NAMESPACE)
        assert f"hook of reads ({vm['id']}) into default" in said, said
        assert "failed=0" in said


def test_the_names_follow_the_guide(cluster, kubectl, vms):
    """9.4.1: <plan>-<vm id>-<step>-<5 characters>"""
    vm = vms["reads"]
    jobs = kubectl.get("job", selector=f"vmID={vm['id']}")
    assert sorted(re.sub(r"\w{5}$", "", job["metadata"]["name"]) for job in jobs) == [
        f"hooked-{vm['id']}-posthook-", f"hooked-{vm['id']}-prehook-"]


def test_a_failing_playbook_stops_the_vm_before_anything_is_done_to_it(cluster, kubectl, vcenter, vms):
    vm = vms["refused"]
    [reason] = vm["error"]["reasons"]
    assert vm["error"]["phase"] == "PreHook" and condition_of({"status": vm}, "Failed")
    assert "the change window is closed" in reason and "correct the playbook" in reason
    assert steps(vm)["PreHook"]["error"]["reasons"] == [reason]
    assert not kubectl.get("datavolume", namespace="default", selector=f"vmID={vm['id']}")
    assert vcenter.reads("refused", 0)["bytes"] == 0


def test_a_failing_playbook_afterwards_fails_the_vm_and_keeps_the_target(cluster, kubectl, vms):
    vm = vms["refused-after"]
    assert vm["error"]["phase"] == "PostHook" and "the change window is closed" in vm["error"]["reasons"][0]
    assert kubectl.get("virtualmachine", "refused-after", "default")


def test_an_image_that_cannot_be_had_is_named(cluster, vms):
    [reason] = vms["foreign"]["error"]["reasons"]
    assert "registry.example/own/steps:1" in reason and "podman" in reason


def test_a_service_account_that_is_not_there_is_named(cluster, vms):
    [reason] = vms["unaccounted"]["error"]["reasons"]
    assert "'nobody'" in reason and "openshift-mtv" in reason


def test_a_hook_that_takes_too_long_is_ended(cluster, kubectl, vms):
    vm = vms["late"]
    assert "DeadlineExceeded" in vm["error"]["reasons"][0]
    waiting.until("end of the hook's Pod", lambda: not [pod for pod in pods(kubectl, vm, "PreHook")
                                                        if pod["status"]["phase"] == "Running"])


@pytest.mark.parametrize("name, broken, condition, word", [
    ("no-image", {"image": ""}, "InvalidImage", "hook-runner"),
    ("no-base64", {"image": "hook-runner", "playbook": "- hosts: localhost"}, "InvalidPlaybook", "base64"),
    ("no-text", {"image": "hook-runner", "playbook": base64.b64encode(b"\xff\xfe\x00").decode()}, "InvalidPlaybook", "base64"),
])
def test_a_hook_that_cannot_be_run_says_why(cluster, kubectl, name, broken, condition, word):
    kubectl.apply({**hook(name), "spec": broken})
    assert word in kubectl.condition("hook", name, condition)["message"]
    assert condition_of(kubectl.get("hook", name), "Ready") is None


@pytest.mark.parametrize("name, hooks, condition", [
    ("hook-absent", [("PreHook", "nowhere")], "HookNotValid"),
    ("hook-broken", [("PreHook", "broken")], "HookNotReady"),
    ("hook-step", [("MidHook", "fine")], "HookStepNotValid"),
    ("hook-twice", [("PreHook", "fine"), ("PreHook", "fine")], "HookStepNotValid"),
])
def test_a_plan_whose_hooks_cannot_be_run_says_why(cluster, kubectl, source, name, hooks, condition):
    kubectl.apply(hook("fine", encoded(READS)), {**hook("broken"), "spec": {"image": ""}})
    kubectl.condition("hook", "fine", "Ready")
    kubectl.condition("hook", "broken", "InvalidImage")
    vm = {"name": "reads", "hooks": [{"hook": {"name": one, "namespace": manifests.NAMESPACE}, "step": step} for step, one in hooks]}
    kubectl.apply(manifests.plan(name, source, [vm], network=source, storage=source, target="hook-checks"))
    kubectl.condition("plan", name, condition)
    assert condition_of(kubectl.get("plan", name), "Ready") is None
