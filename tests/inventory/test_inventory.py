"""The inventory as its clients see it: REST, levels of detail, authorisation, watches, and a source that changes or breaks."""
import os
import subprocess

import pytest

from harness import manifests, waiting


def named(items, name):
    return next(item for item in items if item["name"] == name)


def test_providers_are_listed_by_type(cluster, inventory, source):
    listed = inventory.get("providers?detail=1")
    assert [p["name"] for p in listed["vsphere"]] == ["vc"] and [p["name"] for p in listed["openshift"]] == ["host"]
    vsphere = listed["vsphere"][0]
    assert vsphere["vmCount"] >= 2 and vsphere["object"]["spec"]["type"] == "vsphere" and vsphere["selfLink"] == source
    assert [p["uid"] for p in inventory.get("providers/vsphere")] == [vsphere["uid"]]


def test_a_workload_is_bare_and_under_input(cluster, inventory, source):
    vm = named(inventory.get(f"{source}/vms"), "two")
    workload = inventory.get(f"{source}/workloads/{vm['id']}")
    bare = workload.pop("input")
    assert bare == workload and workload["host"]["cluster"]["datacenter"]["name"] == "DC0"
    assert workload["changeTrackingEnabled"] is False and workload["cpuAffinity"] == [] and workload["host"]["vms"] is None


def test_a_rule_is_tried_on_a_vm(gantry, cluster, inventory, source, tmp_path):
    """gantry policy check finds the inventory by its Route and says what the file adds to the VM's concerns."""
    rule = tmp_path / "two_disks.rego"
    rule.write_text('package io.konveyor.forklift.vmware\nconcerns[flag] {\n  count(input.disks) > 1\n  flag := {"category": "Information", '
                    '"label": "Two disks", "assessment": "There are several."}\n}\n', encoding="utf-8")
    vms = inventory.get(f"{source}/vms")

    def check(vm):
        return subprocess.run([gantry, "policy", "check", rule, "--vm", vm], text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              check=False, env={**os.environ, "KUBECONFIG": str(cluster.kubectl.kubeconfig)})

    two, one, none = check(named(vms, "two")["id"]), check(named(vms, "one")["id"]), check("vm-none")
    assert two.returncode == 0 and "+ Information: Two disks\n  There are several.\n" in two.stdout, two.stdout
    assert one.returncode == 0 and "it says nothing about this VM" in one.stdout, one.stdout
    assert none.returncode == 1 and "vm-none" in none.stdout, none.stdout


@pytest.mark.parametrize("query, names", [
    ("name=one", {"one"}), ("name=vm/one", {"one"}), ("name=nowhere", set()), ("limit=0", set()),
    ("q=name~w,name!=none&detail=0", {"two"}), ("q=disks.capacity>1,name=two", {"two"}),
])
def test_lists_can_be_narrowed(cluster, inventory, source, query, names):
    found = {vm["name"] for vm in inventory.get(f"{source}/vms?{query}")}
    assert found & {"one", "two"} == names


def test_a_tree_holds_every_vm_once(cluster, inventory, source):
    def vms(node):
        own = [node["object"]["name"]] if node["kind"] == "VM" else []
        return own + [name for child in node["children"] or [] for name in vms(child)]

    everything = sorted(vm["name"] for vm in inventory.get(f"{source}/vms"))
    for tree in ("host", "vm"):
        assert sorted(vms(inventory.get(f"{source}/tree/{tree}"))) == everything


def test_the_cluster_itself_is_a_provider(cluster, inventory):
    host = inventory.get("providers/openshift")[0]
    assert "openshift-mtv" in {ns["name"] for ns in inventory.get(f"{host['selfLink']}/namespaces")}
    classes = inventory.get(f"{host['selfLink']}/storageclasses?detail=1")
    assert "standard" in {one["name"] for one in classes} and classes[0]["object"]["kind"] == "StorageClass"


def test_a_clusters_objects_come_in_pages(cluster, inventory):
    path = f"{inventory.get('providers/openshift')[0]['selfLink']}/namespaces"
    names = [one["name"] for one in inventory.get(f"{path}?q=name")]
    assert len(names) > 2 and [one["name"] for one in inventory.get(f"{path}?q=-name")] == names[::-1]
    _status, headers, page = inventory.ask(f"{path}?q=name&limit=1&offset=1&total=true")
    assert [one["name"] for one in page] == names[1:2] and headers["X-Total-Count"] == str(len(names))
    assert inventory.get(f"{path}?offset={len(names)}") == []


def test_a_clusters_tree_has_the_namespaces_that_have_vms(cluster, kubectl, inventory):
    host = inventory.get("providers/openshift")[0]["selfLink"]
    assert inventory.get(f"{host}/tree/namespace") == {"kind": "", "object": None, "children": []}
    kubectl.apply({"apiVersion": "kubevirt.io/v1", "kind": "VirtualMachine", "metadata": {"name": "leaf", "namespace": "openshift-mtv"},
                   "spec": {"runStrategy": "Halted", "template": {"spec": {"domain": {"devices": {}}}}}})
    namespace, = inventory.get(f"{host}/tree/namespace?detail=1")["children"]
    vm, = namespace["children"]
    assert (namespace["kind"], namespace["object"]["name"], "object" in namespace["object"]) == ("Namespace", "openshift-mtv", False)
    assert (vm["kind"], vm["object"]["name"], vm["object"]["object"]["kind"], vm["children"]) == ("VM", "leaf", "VirtualMachine", None)
    assert inventory.ask(f"{host}/tree/other")[0] == 404
    kubectl("delete", "virtualmachine", "leaf", "-n", "openshift-mtv")


def test_a_power_off_reaches_the_inventory_with_a_new_revision(cluster, inventory, source, vcenter):
    vcenter.power("one", "on")
    path = f"{source}/vms/{named(inventory.get(source + '/vms'), 'one')['id']}"
    on = waiting.until("VM that is on", lambda: (vm := inventory.get(path))["powerState"] == "poweredOn" and vm)
    vcenter.power("one", "off")
    off = waiting.until("VM that is off", lambda: (vm := inventory.get(path))["powerState"] == "poweredOff" and vm)
    assert off["revision"] > on["revision"]
    checked = waiting.until("validated VM", lambda: (vm := inventory.get(path))["revisionValidated"] == vm["revision"] and vm)
    assert checked["policyVersion"] > 0 and all(c["category"] in ("Critical", "Warning", "Information") for c in checked["concerns"])


def test_a_lost_session_heals_and_keeps_revisions(cluster, inventory, source, vcenter):
    cluster.allow("the connection to a provider ended")
    before = {vm["id"]: vm["revision"] for vm in inventory.get(f"{source}/vms")}
    vcenter.fault("expire-sessions")
    vcenter.power("two", "on")
    two = vcenter.vms["two"]["id"]

    def renewed():
        status, _, vms = inventory.ask(f"{source}/vms")
        return status == 200 and {vm["id"]: vm["revision"] for vm in vms}

    after = waiting.until("inventory after the loss", lambda: (now := renewed()) and now[two] > before[two] and now)
    assert {id: revision for id, revision in after.items() if id != two} == {
        id: revision for id, revision in before.items() if id != two}
    assert all(login["ok"] for login in vcenter.log()["logins"])
    vcenter.power("two", "off")


def test_a_deleted_provider_leaves_nothing(cluster, kubectl, inventory, vcenter):
    kubectl.apply(manifests.secret("short", vcenter.user, vcenter.password, thumbprint=vcenter.sha1),
                  manifests.provider("short", vcenter.url))
    kubectl.condition("provider", "short", "Ready")
    path = f"providers/vsphere/{kubectl.get('provider', 'short')['metadata']['uid']}"
    assert inventory.ask(path)[0] == 200
    kubectl("delete", "provider", "short", "-n", "openshift-mtv")
    waiting.until("404 for a deleted provider", lambda: inventory.ask(path)[0] == 404)


def test_the_old_certificate_no_longer_counts_after_the_secret_changed(cluster, kubectl, vcenter):
    cluster.allow("the connection to a provider ended")
    kubectl.apply(manifests.secret("turns", vcenter.user, vcenter.password, thumbprint=vcenter.sha256),
                  manifests.provider("turns", vcenter.url))
    kubectl.condition("provider", "turns", "Ready")
    kubectl.apply(manifests.secret("turns", vcenter.user, vcenter.password, thumbprint="00:" * 19 + "00"))
    found = kubectl.condition("provider", "turns", "ConnectionTestFailed")
    assert vcenter.sha1 in found["message"]
    kubectl("delete", "provider", "turns", "-n", "openshift-mtv")
