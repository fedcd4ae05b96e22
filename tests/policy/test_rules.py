"""Rules on VMs of a vCenter: through its property collector, the inventory's documents, the validation service, and back as concerns."""
import re
import subprocess
import textwrap

import pytest

from harness import waiting
from harness.cluster import ROOT
from harness.inventory import Standalone
from harness.policy import FakeService, ids_of_rules, in_order

MANY_DISKS = """package io.konveyor.forklift.vmware
has_multiple_disks {
  count(input.disks) > 1
}
concerns[flag] {
  has_multiple_disks
  flag := {
    "category": "Information",
    "label": "Multiple disks detected",
    "assessment": "Multiple disks detected on this VM."
  }
}
"""
CONTRADICTION = "package io.konveyor.forklift.vmware\ndefault valid_input = true\n"


def vms(inventory):
    return {vm["name"]: vm for vm in inventory.get(f"{inventory.path('vc')}/vms?detail=all")}


def labels(vm):
    return {concern["label"] for concern in vm["concerns"]}


def validated(inventory):
    """All VMs by name, once each has been validated as it is."""
    inventory.kubectl.condition("provider", "vc", "InventoryCreated")
    found = {}

    def done():
        found.update(vms(inventory))
        return all(vm["revision"] == vm["revisionValidated"] for vm in found.values())

    waiting.until(lambda: f"validation: {[(vm['name'], vm['revision'], vm['revisionValidated']) for vm in found.values()]}", done)
    return found


def set_rules(inventory, namespace, **rules):
    inventory.kubectl.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "forklift-validation-config", "namespace": namespace},
                             "data": {f"{name}.rego": text for name, text in rules.items()}})


@pytest.fixture
def namespace(inventory):
    """Where the service looks for its ConfigMap; there is none afterwards."""
    text = inventory.kubectl("config", "view", "--minify", "-o", "jsonpath={..namespace}").strip()
    yield text or "default"
    inventory.kubectl("delete", "configmap", "-n", text or "default", "forklift-validation-config", "--ignore-not-found")


def test_every_vsphere_rule_fires_on_a_vm_of_its_own(inventory):
    found = validated(inventory)
    wanted = ids_of_rules("vmware")
    odd = {re.sub(r"^odd-| _$", "", name): vm for name, vm in found.items() if name.startswith("odd-")}
    assert odd.keys() == wanted
    for concern, vm in odd.items():
        assert concern in {one["id"] for one in vm["concerns"]}, f"{vm['name']}: {vm['concerns']}"
    # What is odd about one is not found in the plain one, but that another one uses its disk too.
    assert [one["id"] for one in found["plain"]["concerns"]] == ["vmware.disk.shared.detected"]


def test_opa_judges_the_same_workloads_alike(inventory, opa):
    for vm in validated(inventory).values():
        workload = inventory.get(f"{inventory.path('vc')}/workloads/{vm['id']}")["input"]
        assert in_order(vm["concerns"]) == in_order(opa.concerns("vmware", workload)), vm["name"]


def test_a_custom_rule_comes_and_goes(inventory, service, namespace):
    name = "odd-vmware.disk.count.exceeds.limit"
    assert "Multiple disks detected" not in labels(validated(inventory)[name])
    set_rules(inventory, namespace, vmware_multiple_disks=MANY_DISKS)
    waiting.until("the new concern", lambda: "Multiple disks detected" in labels(vms(inventory)[name]))
    assert "Multiple disks detected" not in labels(vms(inventory)["plain"])
    inventory.kubectl("delete", "configmap", "-n", namespace, "forklift-validation-config")
    waiting.until("the old concerns", lambda: "Multiple disks detected" not in labels(vms(inventory)[name]))


def test_an_edited_rules_version_validates_all_anew(inventory, rules):
    path = rules / "io/konveyor/forklift/vmware/rules_version.rego"
    assert {vm["policyVersion"] for vm in validated(inventory).values()} == {5}
    path.write_text(path.read_text(encoding="utf-8").replace(":= 5", ":= 6"), encoding="utf-8")
    waiting.until("VMs validated by version 6", lambda: {vm["policyVersion"] for vm in vms(inventory).values()} == {6})


def test_a_contradiction_stops_the_service_only_and_names_both_places(inventory, service, namespace):
    before = {name: labels(vm) for name, vm in validated(inventory).items()}
    set_rules(inventory, namespace, mine=CONTRADICTION)
    stale = inventory.kubectl.condition("provider", "vc", "VMsNotValidated")
    for text in (stale["message"], service.log(), service.ask("GET", "health")[1]["message"]):
        assert re.search(r"ConfigMap forklift-validation-config: mine\.rego:2: default valid_input is set already, in \S*/validate\.rego:\d+", text), text
    found = vms(inventory)
    assert {name: labels(vm) for name, vm in found.items()} == before
    assert all(vm["revisionValidated"] != vm["revision"] for vm in found.values())
    inventory.kubectl("delete", "configmap", "-n", namespace, "forklift-validation-config")
    validated(inventory)
    waiting.until("no stale concerns", lambda: "VMsNotValidated" not in {
        one["type"] for one in inventory.kubectl.get("provider", "vc")["status"]["conditions"]})


def documented_rule():
    """The example of docs/validation-rules.md."""
    text = (ROOT / "docs/validation-rules.md").read_text(encoding="utf-8")
    return textwrap.dedent(re.search(r"```rego\n(.*?)```", text, re.S).group(1))


def test_the_documented_rule_passes_its_tests(gantry, tmp_path):
    """gantry policy test; check needs the inventory's Route: tests/e2e/guide tries it."""
    rule = documented_rule()
    (tmp_path / "multiple_disks.rego").write_text(rule, encoding="utf-8")
    (tmp_path / "multiple_disks_test.rego").write_text(
        "package io.konveyor.forklift.vmware\nimport rego.v1\n"
        'test_two if count(concerns) == 1 with input as {"disks": [1, 2]}\n'
        'test_one if count(concerns) == 0 with input as {"disks": [1]}\n', encoding="utf-8")

    def policy(*arguments):
        return subprocess.run([gantry, "policy", *arguments], text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)

    tested = policy("test", tmp_path)
    assert (tested.returncode, tested.stdout) == (0, "2 of 2 tests hold\n")
    (tmp_path / "wrong_test.rego").write_text("package io.konveyor.forklift.vmware\nimport rego.v1\ntest_wrong if 1 == 2\n", encoding="utf-8")
    tested = policy("test", tmp_path)
    assert tested.returncode == 1 and "FAIL io/konveyor/forklift/vmware/test_wrong" in tested.stdout and "2 of 3 tests hold" in tested.stdout


def test_an_external_opa_serves_as_well(gantry, bare_cluster, inventory, opa, tmp_path):
    """It knows nothing of batches: VMs are asked about one by one."""
    ours = {name: in_order(vm["concerns"]) for name, vm in validated(inventory).items()}
    inventory.stop()  # one at a time: the other would wait for its lease
    try:
        other = Standalone(gantry, bare_cluster, tmp_path, POLICY_AGENT_URL=opa.url)
        try:
            found = validated(other)
            assert {name: in_order(vm["concerns"]) for name, vm in found.items()} == ours
            assert {vm["policyVersion"] for vm in found.values()} == {5}
        finally:
            other.stop()
    finally:
        inventory.start()


def test_what_the_service_answers_wrongly_is_said_in_the_provider(gantry, bare_cluster, inventory, tmp_path):
    """Each is a ValidationFailed: tried again, until the service answers well."""
    wrong = [((500, {"message": "it is out of order"}), "answered 500: it is out of order"),
             ((200, {}), "has no rules for 'vmware'"),
             ((200, {"message": "no such policy"}), "no such policy"),
             ((200, {"result": {"errors": ["it has no name"]}}), "the rules refuse the VM's document: it has no name")]
    inventory.stop()
    try:
        with FakeService() as service:
            service.answer = wrong[0][0]
            other = Standalone(gantry, bare_cluster, tmp_path, POLICY_AGENT_URL=service.url)
            try:
                for answer, words in wrong:
                    service.answer = answer
                    waiting.until(f"a condition that says {words}", lambda words=words: words in other.kubectl.condition(
                        "provider", "vc", "VMsNotValidated")["message"])
                service.answer = (200, {"result": {"concerns": []}})
                assert {vm["policyVersion"] for vm in validated(other).values()} == {5}
            finally:
                other.stop()
    finally:
        inventory.start()
