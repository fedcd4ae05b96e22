"""Watches: frames over a WebSocket, as clients of Forklift's inventory read them."""
import pytest

from harness import waiting
from harness.vsphere import Administrator
from harness.watch import CREATED, DELETED, END, PARITY, STARTED, UPDATED, Watch


@pytest.fixture
def watch(inventory):
    open_ones = []

    def start(path, snapshot=True):
        one = Watch(inventory, path, snapshot)
        open_ones.append(one)
        return one

    yield start
    for one in open_ones:
        one.close()


def test_a_snapshot_comes_before_parity(cluster, inventory, source, watch):
    frames = watch(f"{source}/vms").until(lambda frame: frame["Action"] == PARITY)
    assert frames[0]["Action"] == STARTED and frames[0]["ID"] > 0
    created = frames[1:-1]
    assert all(frame["Action"] == CREATED and frame["ID"] == 0 and frame["Updated"] is None for frame in created)
    assert {f["Resource"]["name"] for f in created} == {vm["name"] for vm in inventory.get(f"{source}/vms")}
    assert all("memoryMB" in f["Resource"] and f["Resource"]["path"] for f in created)


def test_without_snapshot_parity_comes_at_once(cluster, source, watch):
    one = watch(f"{source}/vms", snapshot=False)
    assert [one.frame()["Action"], one.frame()["Action"]] == [STARTED, PARITY]


def test_a_change_shows_before_and_after(cluster, source, vcenter, watch):
    one = watch(f"{source}/vms", snapshot=False)
    vcenter.power("one", "on")
    *_, update = one.until(lambda f: f["Action"] == UPDATED and f["Resource"]["powerState"] != f["Updated"]["powerState"])
    assert (update["Resource"]["name"], update["Resource"]["powerState"], update["Updated"]["powerState"]) == ("one", "poweredOff", "poweredOn")
    assert update["Updated"]["revision"] > update["Resource"]["revision"]
    *_, checked = one.until(lambda f: f["Labels"] == ["VM-validated"])
    assert checked["Updated"]["revision"] == checked["Updated"]["revisionValidated"]
    vcenter.power("one", "off")
    one.until(lambda f: f["Action"] == UPDATED and f["Updated"]["powerState"] == "poweredOff")


CHANGES = {
    "a rename": (lambda admin, vm: admin.rename(vm, "eins"), "name", "one", "eins", lambda admin, vm: admin.rename(vm, "one")),
    "a snapshot": (lambda admin, vm: admin.snapshot(vm, "before"), "snapshot.kind", "", "VirtualMachineSnapshot", lambda admin, vm: admin.remove_snapshots(vm)),
    "a new disk": (lambda admin, vm: admin.add_disk(vm, 8), "disks.1.capacity", None, 8 << 20, None),
}


def at(thing, path):
    for part in path.split("."):
        if isinstance(thing, list):
            thing = thing[int(part)] if int(part) < len(thing) else {part: None for part in path.split(".")}
        else:
            thing = thing[part]
    return thing


@pytest.mark.parametrize("change", CHANGES)
def test_what_an_administrator_does_shows_before_and_after(cluster, source, vcenter, watch, change):
    act, path, before, after, undo = CHANGES[change]
    admin, vm = Administrator(vcenter), vcenter.vms["one"]["id"]
    one = watch(f"{source}/vms", snapshot=False)
    one.until(lambda f: f["Action"] == PARITY)
    act(admin, vm)
    *_, update = one.until(lambda f: f["Action"] == UPDATED and at(f["Resource"], path) != at(f["Updated"], path))
    assert (at(update["Resource"], path), at(update["Updated"], path)) == (before, after)
    assert update["Resource"]["id"] == update["Updated"]["id"] == vm
    if undo:
        undo(admin, vm)
        one.until(lambda f: f["Action"] == UPDATED and at(f["Updated"], path) == before)


def test_a_vm_comes_and_goes(cluster, source, vcenter, watch):
    admin, one = Administrator(vcenter), watch(f"{source}/vms", snapshot=False)
    one.until(lambda f: f["Action"] == PARITY)
    other = vcenter.vms["one"]["id"]
    vm = admin.create("three", admin.value("VirtualMachine", other, "parent"), admin.value("VirtualMachine", other, "resourcePool"))
    *_, created = one.until(lambda f: f["Action"] == CREATED)
    assert (created["Resource"]["id"], created["Resource"]["name"], created["Updated"]) == (vm, "three", None)
    admin.delete(vm)
    *_, deleted = one.until(lambda f: f["Action"] == DELETED)
    assert (deleted["Resource"]["id"], deleted["Updated"]) == (vm, None)


def test_what_goes_when_another_comes_is_seen_to_go(cluster, source, vcenter, watch):
    """Both happen between two questions of the collector's."""
    admin, one = Administrator(vcenter), watch(f"{source}/vms", snapshot=False)
    old = vcenter.vms["one"]["id"]
    place = admin.value("VirtualMachine", old, "parent"), admin.value("VirtualMachine", old, "resourcePool")
    leaves = admin.create("leaves", *place)
    one.until(lambda f: f["Action"] == CREATED and f["Resource"]["id"] == leaves)
    vcenter.fault("delay", match="WaitForUpdatesEx", milliseconds=3000)
    asked = vcenter.log()["calls"]["WaitForUpdatesEx"]
    admin.rename(old, "eins")  # ends the question that waits
    waiting.until("another question", lambda: vcenter.log()["calls"]["WaitForUpdatesEx"] > asked)
    comes = admin.create("comes", *place)
    admin.delete(leaves)
    seen = one.until(lambda f: f["Action"] == DELETED)
    assert seen[-1]["Resource"]["id"] == leaves
    if not any(f["Action"] == CREATED for f in seen):
        one.until(lambda f: f["Action"] == CREATED and f["Resource"]["id"] == comes)
    admin.delete(comes)
    admin.rename(old, "one")
    one.until(lambda f: f["Action"] == UPDATED and f["Updated"]["name"] == "one")


def test_one_object_alone_can_be_watched(cluster, inventory, source, vcenter, watch):
    ids = {vm["name"]: vm["id"] for vm in inventory.get(f"{source}/vms")}
    one = watch(f"{source}/vms/{ids['two']}", snapshot=False)
    for state in ("On", "Off"):
        vcenter.power("one", state.lower())
        vcenter.power("two", state.lower())
        frames = one.until(lambda f: f["Action"] == UPDATED and f["Updated"]["powerState"] == f"powered{state}")
        assert all(f["Resource"]["name"] == "two" for f in frames if f["Action"] == UPDATED)


def test_a_client_may_end_its_watch(cluster, source, watch):
    one = watch(f"{source}/vms", snapshot=False)
    one.say({"Action": END})
    assert one.until(lambda frame: frame is None)


@pytest.mark.parametrize("path, status, reason", [
    ("{source}/vms", 400, "WebSocket"), ("{source}/tree/vm", 400, "tree"), ("providers/vsphere", 400, "watched"),
])
def test_what_cannot_be_watched_is_said(cluster, inventory, source, path, status, reason):
    answered, headers, _ = inventory.ask(path.format(source=source), **{"X-Watch": "snapshot"})
    assert answered == status and reason in headers["X-Reason"]
