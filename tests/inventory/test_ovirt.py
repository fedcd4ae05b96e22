"""The inventory of an oVirt engine: REST, events, rules, and an engine that breaks or refuses."""
import pathlib
import re

import pytest

from harness import manifests, waiting
from harness.ovirt import Ovirt
from harness.ovirt_migration import provider

ROOT = pathlib.Path(__file__).resolve().parents[2]
RULES = ROOT / "policies/io/konveyor/forklift/ovirt"

# One VM with about everything that a rule looks for.
ODD = {
    "name": "Odd VM!", "nics": [{"mac": "56:6f:00:00:00:02", "interface": "pci_passthrough"}],
    "disks": [{"interface": "ide", "json": {"status": "illegal", "storage_type": "cinder", "shareable": True, "provisioned_size": 0}}],
    "json": {
        "status": "paused", "memory_policy": {"ballooning": True}, "bios": {"type": "q35_secure_boot", "boot_menu": {"enabled": True}},
        "cpu_shares": 512, "cpu": {"cpu_tune": {"vcpu_pins": {"vcpu_pin": [{"cpu_set": "1", "vcpu": 0}]}}},
        "cpu_pinning_policy": "isolate_threads", "custom_cpu_model": "Nehalem", "display": {"type": "spice"},
        "custom_properties": {"custom_property": [{"name": "sap_agent", "value": "true"}]}, "high_availability": {"enabled": True},
        "host_devices": {"host_device": [{"capability": "pci", "vendor": {"name": "x"}, "product": {"name": "y"}}]},
        "has_illegal_images": True, "io": {"threads": 2}, "placement_policy": {"affinity": "user_migratable migratable", "hosts": {"host": [{"id": "pinned-to"}]}},
        "numa_nodes": {"vm_numa_node": [{"id": "n", "index": 0, "memory": 1024, "numa_node_pins": {"numa_node_pin": [{"index": 1}]}}]},
        "storage_error_resume_behaviour": "kill", "usb": {"enabled": True}, "watchdogs": {"watchdog": [{"id": "w", "action": "reset", "model": "i6300esb"}]},
        "snapshots": {"snapshot": [{"id": "s", "description": "with memory", "snapshot_type": "regular", "persist_memorystate": True}]},
        "os": {"type": "windows_2022"}}}


@pytest.fixture(scope="module")
def engine(random_disk, tmp_path_factory):
    disk = str(random_disk(tmp_path_factory.mktemp("ovirt-disks") / "disk.raw", 2048))
    one = Ovirt(tmp_path_factory.mktemp("engine"), {"datacenters": 4, "clones": 2000, "vms": [
        {"name": "web", "powerOn": True, "disks": [{"file": disk}], "nics": [{"mac": "56:6f:00:00:00:01"}]}, ODD,
        {"name": "many", "nics": [], "disks": [{"size": 1 << 30} for _ in range(166)], "json": {"os": {"type": "rhel_6x64"}}}]})
    yield one
    one.stop()


@pytest.fixture(scope="module")
def ovirt(module_cluster, engine):
    """The path of the loaded provider."""
    kubectl = module_cluster.kubectl
    kubectl.apply(manifests.secret("rhv", engine.user, engine.password, cacert=engine.cacert), provider("rhv", engine.url))
    kubectl.condition("provider", "rhv", "Ready")
    return f"providers/ovirt/{kubectl.get('provider', 'rhv')['metadata']['uid']}"


def vm_of(inventory, ovirt, engine, name):
    return inventory.get(f"{ovirt}/vms/{engine.vms[name]}")


def until_vm(inventory, ovirt, engine, name, wanted):
    return waiting.until(f"word of the change of {name}", lambda: wanted(vm_of(inventory, ovirt, engine, name)))


def test_everything_is_listed(cluster, inventory, ovirt, engine):
    counts = {"datacenters": 5, "clusters": 5, "hosts": 5, "vms": 2003, "networks": 5, "nicprofiles": 5, "diskprofiles": 5, "storagedomains": 5,
              "disks": 2000 + 1 + 1 + 166}
    assert {collection: len(inventory.get(f"{ovirt}/{collection}")) for collection in counts} == counts
    shown = inventory.get(f"{ovirt}")
    assert [shown[key] for key in ("datacenterCount", "clusterCount", "hostCount", "vmCount", "networkCount", "storageDomainCount")] == [5, 5, 5, 2003, 5, 5]


def test_a_vm_shows_as_much_as_was_asked_for(cluster, inventory, ovirt, engine):
    base = next(vm for vm in inventory.get(f"{ovirt}/vms?name=web"))
    assert base["path"] == "Default/web" and base["selfLink"] == f"{ovirt}/vms/{engine.vms['web']}" and "status" not in base
    brief = next(vm for vm in inventory.get(f"{ovirt}/vms?name=web&detail=1"))
    assert brief["status"] == "up" and brief["nics"][0]["mac"] == "56:6f:00:00:00:01" and "memory" not in brief
    full = vm_of(inventory, ovirt, engine, "web")
    assert full["memory"] == 1 << 30 and full["cpuPinningPolicy"] == "none" and full["numaNodeAffinity"] == []


def test_a_workload_holds_what_rules_ask_about(cluster, inventory, ovirt, engine):
    workload = inventory.get(f"{ovirt}/workloads/{engine.vms['web']}")
    assert workload.pop("input") == workload
    disk = workload["diskAttachments"][0]["disk"]
    assert disk["storageType"] == "image" and disk["profile"]["storageDomain"] == disk["storageDomain"]
    assert workload["nics"][0]["profile"]["passThrough"] is False
    assert workload["host"]["inMaintenance"] is False and workload["cluster"]["biosType"] == "q35_sea_bios"
    assert workload["dataCenter"]["name"] == "Default" and "path" not in workload["cluster"]
    assert inventory.get(f"{ovirt}/workloads/{engine.vms['many']}")["host"] is None


def test_the_tree_holds_every_vm_once(cluster, inventory, ovirt, engine):
    def vms(node):
        own = [node["object"]["id"]] if node["kind"] == "VM" else []
        return own + [one for child in node["children"] or [] for one in vms(child)]

    tree = inventory.get(f"{ovirt}/tree/cluster")
    assert len(tree["children"]) == 5 and {node["kind"] for node in tree["children"]} == {"DataCenter"}
    assert sorted(vms(tree)) == sorted(vm["id"] for vm in inventory.get(f"{ovirt}/vms"))


def test_events_are_followed(cluster, inventory, ovirt, engine):
    engine.tell("change", kind="vm", name="web", json={"description": "changed"})
    until_vm(inventory, ovirt, engine, "web", lambda vm: vm.get("description") == "changed")
    engine.tell("power", vm="web", state="down")
    until_vm(inventory, ovirt, engine, "web", lambda vm: vm["status"] == "down" and vm["host"] == "")
    engine.tell("add", name="new", disks=[{"size": 1 << 30}], nics=[])
    disk = waiting.until("the new VM", lambda: inventory.get(f"{ovirt}/vms?name=new&detail=1"))[0]["diskAttachments"][0]["disk"]
    assert inventory.get(f"{ovirt}/disks/{disk}")["provisionedSize"] == 1 << 30
    engine.tell("remove", vm="new")
    waiting.until("the end of the new VM", lambda: not inventory.get(f"{ovirt}/vms?name=new"))
    engine.tell("change", kind="host", name="host1", json={"status": "maintenance"}, code=600)
    waiting.until("maintenance", lambda: any(host["inMaintenance"] for host in inventory.get(f"{ovirt}/hosts?detail=1")))


def test_every_rule_fires(cluster, inventory, ovirt, engine):
    engine.tell("change", kind="cluster", name="Default", json={"ha_reservation": True, "ksm": {"enabled": True}}, code=811)
    engine.tell("change", kind="vnic_profile", name="ovirtmgmt", code=1124, json={
        "port_mirroring": True, "qos": {"id": "q"}, "network_filter": {"id": "f"}, "pass_through": {"mode": "enabled"},
        "custom_properties": {"custom_property": [{"name": "a", "value": "b"}]}})
    engine.tell("change", kind="vm", name="Odd VM!", json={"nics": {"nic": [
        {"id": "n1", "name": "nic1", "interface": "pci_passthrough", "plugged": False, "mac": {"address": "56:6f:00:00:00:02"},
         "vnic_profile": {"id": next(iter(inventory.get(f"{ovirt}/nicprofiles")))["id"]}}]}, "disk_attachments": {"disk_attachment": [
             {**attachment, "uses_scsi_reservation": True, "disk": {"id": attachment["id"]}}
             for attachment in vm_of(inventory, ovirt, engine, "Odd VM!")["diskAttachments"]]}})
    wanted = set(re.findall(r'"(ovirt\.[a-z_.]+)"', "".join(path.read_text() for path in RULES.glob("*.rego"))))

    def missing():
        return wanted - {concern["id"] for vm in ("Odd VM!", "many", "web") for concern in vm_of(inventory, ovirt, engine, vm)["concerns"]}

    waiting.until(lambda: f"concerns {sorted(missing())}", lambda: not missing())
    assert vm_of(inventory, ovirt, engine, "Odd VM!")["numaNodeAffinity"] == ["1"]


# ---- what breaks ----------------------------------------------------------------------------------------------------


def test_a_token_that_is_gone_and_an_engine_that_is_away_are_borne(cluster, inventory, ovirt, engine):
    cluster.allow("the connection to a provider ended")  # where the machine stands still for half a minute
    engine.fault("forget tokens")
    engine.fault("status", path="events", status=503, times=2)
    engine.tell("change", kind="vm", name="web", json={"description": "after the fault"})
    until_vm(inventory, ovirt, engine, "web", lambda vm: vm.get("description") == "after the fault")
    assert all(login["ok"] for login in engine.log()["logins"])


def refused(kubectl, name, url, condition, **secret):
    kubectl.apply(manifests.secret(name, **secret), provider(name, url))
    found = kubectl.condition("provider", name, condition)
    kubectl("delete", "provider", name, "-n", "openshift-mtv")
    return found["message"]


@pytest.fixture
def small_engine(tmp_path):
    made = []

    def start(**config):
        made.append(Ovirt(tmp_path / str(len(made)), config))
        return made[-1]

    yield start
    for one in made:
        one.stop()


@pytest.mark.parametrize("sso", [True, False])
def test_a_wrong_password_is_tried_once(cluster, kubectl, small_engine, sso):
    cluster.allow("refuses the user .* it was tried once and is not tried again")
    guarded = small_engine(sso=sso)
    assert "password" in refused(kubectl, "wrong", guarded.url, "ConnectionAuthFailed", user=guarded.user, password="guess", cacert=guarded.cacert)
    assert [login["ok"] for login in guarded.log()["logins"]] == [False]


def test_an_engine_without_single_sign_on_is_asked_with_basic_credentials(cluster, kubectl, small_engine):
    old = small_engine(sso=False)
    kubectl.apply(manifests.secret("basic", old.user, old.password, cacert=old.cacert), provider("basic", old.url + "/"))
    kubectl.condition("provider", "basic", "Ready")
    kubectl("delete", "provider", "basic", "-n", "openshift-mtv")


def test_a_provider_that_goes_leaves_no_session_behind(cluster, kubectl, small_engine):
    leaving = small_engine()
    kubectl.apply(manifests.secret("leave", leaving.user, leaving.password, cacert=leaving.cacert), provider("leave", leaving.url))
    kubectl.condition("provider", "leave", "Ready")
    assert leaving.log()["tokens"] == 1
    kubectl("delete", "provider", "leave", "-n", "openshift-mtv")
    waiting.until("end of the provider's session", lambda: leaving.log()["tokens"] == 0)


def test_an_engine_that_is_too_old_is_named_with_its_version(cluster, kubectl, small_engine):
    cluster.allow("4\\.4\\.8")
    old = small_engine(version="4.4.8.6-1.el8")
    message = refused(kubectl, "old", old.url, "ConnectionTestFailed", user=old.user, password=old.password, cacert=old.cacert)
    assert "4.4.8" in message and "4.4.9" in message
