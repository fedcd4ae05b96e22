"""Watches: frames over a WebSocket, as clients of Forklift's inventory read them."""
import base64
import json
import os
import socket
import ssl
import struct

import pytest

from harness.vsphere import Administrator

STARTED, PARITY, END, CREATED, UPDATED, DELETED = 0, 1, 4, 16, 32, 64


class Watch:
    """A WebSocket client (RFC 6455), as much of it as a watch needs."""

    def __init__(self, inventory, path, snapshot):
        context = ssl._create_unverified_context()
        self.socket = context.wrap_socket(socket.create_connection(("127.0.0.1", inventory.port), timeout=60))
        key = base64.b64encode(os.urandom(16)).decode()
        self.socket.sendall((f"GET /{path} HTTP/1.1\r\nHost: 127.0.0.1:{inventory.port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                             f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\nX-Watch: {'snapshot' if snapshot else ''}\r\n"
                             f"Authorization: Bearer {inventory.token}\r\n\r\n").encode())
        self.bytes = b""
        head = self._until(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 101"), head.decode()

    def _more(self):
        got = self.socket.recv(65536)
        assert got, "the server hung up"
        self.bytes += got

    def _until(self, mark):
        while mark not in self.bytes:
            self._more()
        part, self.bytes = self.bytes.split(mark, 1)
        return part

    def _take(self, size):
        while len(self.bytes) < size:
            self._more()
        part, self.bytes = self.bytes[:size], self.bytes[size:]
        return part

    def frame(self):
        """The next text frame as JSON; None when the server closes."""
        kind, size = self._take(2)
        if size == 126:
            size, = struct.unpack(">H", self._take(2))
        elif size == 127:
            size, = struct.unpack(">Q", self._take(8))
        data = self._take(size)
        return json.loads(data) if kind & 15 == 1 else None

    def until(self, wanted):
        """Frames up to the first that wanted() accepts, which comes last."""
        frames = [self.frame()]
        while not wanted(frames[-1]):
            frames.append(self.frame())
        return frames

    def say(self, message):
        data, mask = json.dumps(message).encode(), os.urandom(4)
        self.socket.sendall(bytes([0x81, 0x80 | len(data)]) + mask + bytes(b ^ mask[i % 4] for i, b in enumerate(data)))

    def close(self):
        self.socket.close()


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
