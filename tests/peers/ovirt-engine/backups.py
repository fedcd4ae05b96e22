"""Backups of VMs, with what is real in them: a qemu-storage-daemon holds the disks of a VM that runs, or is being backed up, its guest
writes to them over NBD, a backup is a fleecing copy that QEMU freezes at one moment for all disks, and a checkpoint a persistent dirty
bitmap in each qcow2 disk. As the engine does: one backup of a VM at a time; it fails, and its checkpoint with it, when the VM goes down
meanwhile; raw disks are in no checkpoint; only the oldest checkpoint can be removed.
"""
import json
import random
import socket
import struct
import subprocess
import threading
import time
import uuid

from refused import Refused
from stock import API

ENDED = ("succeeded", "failed")


class Guest:
    """Writes to the first bytes of a disk until it is told to stop: the same writes for the same seed."""

    def __init__(self, path, name, seed, every, span):
        self.random, self.every, self.ended = random.Random(seed), every / 1000, threading.Event()
        self.connection = socket.socket(socket.AF_UNIX)
        self.connection.connect(str(path))
        self._greet(name)
        self.size = min(span, self.size)
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _read(self, size):
        data = b""
        while len(data) < size:
            more = self.connection.recv(size - len(data))
            if not more:
                raise OSError("the disk is gone")
            data += more
        return data

    def _greet(self, name):
        """The fixed newstyle handshake of NBD, without zeroes, by the name of the export."""
        self._read(18)
        self.connection.sendall(struct.pack(">I", 3) + b"IHAVEOPT" + struct.pack(">II", 1, len(name)) + name.encode())
        self.size, _ = struct.unpack(">QH", self._read(10))

    def _write(self, offset, data):
        self.connection.sendall(struct.pack(">IHHQQI", 0x25609513, 0, 1, 0, offset, len(data)) + data)
        _, error, _ = struct.unpack(">IIQ", self._read(16))
        assert error == 0, f"a write failed with {error}"

    def _run(self):
        while not self.ended.wait(self.every):
            size = 512 * self.random.randint(1, 64)
            self._write(512 * self.random.randrange((self.size - size) // 512), self.random.randbytes(size))

    def stop(self):
        self.ended.set()
        self.thread.join()
        self.connection.sendall(struct.pack(">IHHQQI", 0x25609513, 0, 2, 0, 0, 0))
        self.connection.close()


class Storage:
    """The qemu-storage-daemon of one VM. Its disks are the nodes disk0, disk1 …"""

    def __init__(self, directory, files):
        self.directory = directory / f"vm-{uuid.uuid4().hex[:8]}"
        self.directory.mkdir()
        self.nbd = self.directory / "nbd"
        control = self.directory / "qmp"
        self.process = subprocess.Popen([
            "qemu-storage-daemon", "--chardev", f"socket,path={control},server=on,wait=off,id=qmp", "--monitor", "chardev=qmp",
            "--nbd-server", f"addr.type=unix,addr.path={self.nbd},max-connections=64"])
        end = time.monotonic() + 60
        while not (control.exists() and self.nbd.exists()):
            assert self.process.poll() is None and time.monotonic() < end, "qemu-storage-daemon does not start"
            time.sleep(0.01)
        self.connection = socket.socket(socket.AF_UNIX)
        self.connection.connect(str(control))
        self.stream = self.connection.makefile("rw")
        self.stream.readline()
        self.ask("qmp_capabilities")
        self.forms = [form for _, form in files]
        for number, (path, form) in enumerate(files):
            self.ask("blockdev-add", {"node-name": f"disk{number}", "driver": form, "file": {"driver": "file", "filename": str(path)}})

    def ask(self, command, arguments=None):
        self.stream.write(json.dumps({"execute": command, "arguments": arguments or {}}) + "\n")
        self.stream.flush()
        while True:
            answer = json.loads(self.stream.readline())
            if "error" in answer:
                raise RuntimeError(f"{command}: {answer['error']['desc']}")
            if "return" in answer:
                return answer["return"]

    def until(self, what, good):
        end = time.monotonic() + 60
        while not good():
            assert time.monotonic() < end, what
            time.sleep(0.01)

    def bitmaps(self, number):
        nodes = {node["node-name"]: node for node in self.ask("query-named-block-nodes", {"flat": True})}
        return [one["name"] for one in nodes[f"disk{number}"].get("dirty-bitmaps", [])]

    def guest(self, number, seed, every, span):
        self.ask("block-export-add", {"type": "nbd", "id": f"guest{number}", "name": f"guest{number}", "node-name": f"disk{number}",
                                      "writable": True})
        return Guest(self.nbd, f"guest{number}", seed, every, span)

    def end_guest(self, number):
        self.ask("block-export-del", {"id": f"guest{number}", "mode": "hard"})
        self.until("the guest's disk is not let go", lambda: f"guest{number}" not in [one["id"] for one in self.ask("query-block-exports")])

    def freeze(self, numbers, sizes, checkpoint, since):
        """All disks at one moment. since: the checkpoint that changes are asked from, or None. Gives the numbers of the disks that know."""
        actions, tracked = [], []
        for number in numbers:
            scratch = self.directory / f"scratch{number}.qcow2"
            subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", scratch, str(sizes[number])], check=True)
            self.ask("blockdev-add", {"node-name": f"scratch{number}", "driver": "qcow2", "backing": f"disk{number}",
                                      "file": {"driver": "file", "filename": str(scratch)}})
            node = {"node": f"disk{number}"}
            if self.forms[number] == "qcow2":
                actions.append({"type": "block-dirty-bitmap-add", "data": {**node, "name": checkpoint, "persistent": True}})
                if since in self.bitmaps(number):
                    tracked.append(number)
                    actions.append({"type": "block-dirty-bitmap-add", "data": {**node, "name": "since", "disabled": True}})
                    actions.append({"type": "block-dirty-bitmap-merge", "data": {**node, "target": "since", "bitmaps": [since]}})
            actions.append({"type": "blockdev-backup", "data": {"job-id": f"job{number}", "device": f"disk{number}",
                                                                "target": f"scratch{number}", "sync": "none"}})
        self.ask("transaction", {"actions": actions})
        for number in numbers:
            bitmaps = {"bitmaps": ["since"]} if number in tracked else {}
            self.ask("block-export-add", {"type": "nbd", "id": f"backup{number}", "name": f"backup{number}", "node-name": f"scratch{number}",
                                          **bitmaps})
        return tracked

    def thaw(self, numbers, tracked):
        for number in numbers:
            self.ask("block-export-del", {"id": f"backup{number}", "mode": "hard"})
            self.ask("block-job-cancel", {"device": f"job{number}"})
        self.until("a backup does not end", lambda: not self.ask("query-jobs"))
        self.until("a backup is still read", lambda: not [one for one in self.ask("query-block-exports") if one["id"].startswith("backup")])
        for number in numbers:
            self.ask("blockdev-del", {"node-name": f"scratch{number}"})
            (self.directory / f"scratch{number}.qcow2").unlink()
        for number in tracked:
            self.ask("block-dirty-bitmap-remove", {"node": f"disk{number}", "name": "since"})

    def remove(self, checkpoint):
        for number in range(len(self.forms)):
            if checkpoint in self.bitmaps(number):
                self.ask("block-dirty-bitmap-remove", {"node": f"disk{number}", "name": checkpoint})

    def close(self):
        """Bitmaps are written into their disks."""
        self.ask("quit")
        self.process.wait()
        self.connection.close()


class Machine:
    """What the engine knows of one VM's backups. disks: ids of those with an image."""

    def __init__(self, vm, disks):
        self.vm, self.disks, self.storage, self.guests, self.backups, self.checkpoints = vm, disks, None, {}, [], []

    def open_backup(self):
        return next((one for one in self.backups if one["phase"] not in ENDED), None)


class Backups:
    """Of all VMs; the engine's lock guards it."""

    def __init__(self, engine, directory):
        self.engine, self.directory, self.machines, self.losses = engine, directory, {}, 0

    def machine(self, vm_id):
        vm = self.engine.stock.kinds["vm"][vm_id]
        if vm_id not in self.machines:
            disks = [one["disk"]["id"] for one in vm["disk_attachments"].get("disk_attachment", []) if one["disk"]["id"] in self.engine.stock.files]
            self.machines[vm_id] = Machine(vm, disks)
        return self.machines[vm_id]

    def _storage(self, machine):
        if not machine.storage:
            machine.storage = Storage(self.directory, [self.engine.stock.files[disk] for disk in machine.disks])
        return machine.storage

    def _rest(self, machine):
        """Nobody writes and nobody reads: the disks are files again."""
        if machine.storage and not machine.guests and not machine.open_backup():
            machine.storage.close()
            machine.storage = None

    # ---- what clients ask for

    def get(self, vm_id, steps):
        machine = self.machine(vm_id)
        lists = {"backups": ("backup", machine.backups), "checkpoints": ("checkpoint", machine.checkpoints)}
        name, items = lists[steps[0]]
        if len(steps) == 1:
            return {name: items} if items else {}
        one = next((one for one in items if one["id"] == steps[1]), None)
        if one is None or len(steps) > 3:
            raise KeyError(steps)
        if len(steps) == 2:
            return self._step(machine, one)
        modes = {disk: "incremental" if disk in one.get("_tracked", ()) else "full" for disk in one["_disks"]}
        return {"disk": [{**self.engine.stock.kinds["disk"][disk], "backup_mode": mode} for disk, mode in modes.items()]}

    def post(self, vm_id, steps, body):
        machine = self.machine(vm_id)
        if not steps:
            return self._begin(machine, body)
        one = next(one for one in machine.backups if one["id"] == steps[0])
        if steps[1] != "finalize":
            raise KeyError(steps)
        if one["phase"] != "ready":
            raise Refused(f"[Cannot stop VM backup. The VM backup is not in READY phase, backup phase is {one['phase'].upper()}.]")
        if [transfer for transfer in self.engine.transfers.all.values() if transfer.get("backup", {}).get("id") == one["id"]]:
            raise Refused("[Cannot stop VM backup. There are active image transfers for VM backup, please wait until they are done.]")
        self._end(machine, one, "succeeded")
        return {"status": "complete"}

    def _begin(self, machine, body):
        wanted, since = [one["id"] for one in body["disks"]["disk"]], body.get("from_checkpoint_id")
        if machine.vm["status"] not in ("up", "down"):
            raise Refused("[Cannot backup VM: The VM should be in Up or Down status.]")
        if machine.open_backup():
            raise Refused("[Cannot backup VM. The VM is during a backup operation.]")
        if since and since not in [one["id"] for one in machine.checkpoints]:
            raise Refused(f"[Cannot backup VM: Checkpoint ID {since} doesn't exist.]")
        if body.get("id") in [one["id"] for one in machine.backups]:
            raise Refused("[Cannot backup VM: The backup ID already exists.]")
        numbers = [machine.disks.index(disk) for disk in wanted]
        one = {"id": body.get("id", str(uuid.uuid4())), "phase": "initializing", "description": body.get("description", ""),
               "from_checkpoint_id": since, "creation_date": int(time.time() * 1000), "_disks": wanted, "_numbers": numbers,
               "_polls": 1, "_live": machine.vm["status"] == "up"}
        one["href"] = f"{API}/vms/{machine.vm['id']}/backups/{one['id']}"
        machine.backups.append(one)
        return one

    def _step(self, machine, one):
        """A client has asked for it: one that was beginning gets ready."""
        if one.get("phase") in ("initializing", "starting"):
            one["_polls"] -= 1
            one["phase"] = "starting"
            if one["_polls"] < 0:
                self._freeze(machine, one)
        return one

    def _freeze(self, machine, one):
        checkpoint = str(uuid.uuid4())
        sizes = [self.engine.stock.kinds["disk"][disk]["provisioned_size"] for disk in machine.disks]
        storage = self._storage(machine)
        one["_known"] = storage.freeze(one["_numbers"], sizes, checkpoint, one["from_checkpoint_id"])
        one["_tracked"] = [machine.disks[number] for number in one["_known"]]
        if "qcow2" in [storage.forms[number] for number in one["_numbers"]]:
            parent = machine.checkpoints[-1]["id"] if machine.checkpoints else None
            machine.checkpoints.append({"id": checkpoint, "parent_id": parent, "description": one["description"], "state": "created",
                                        "creation_date": int(time.time() * 1000)})
            one["to_checkpoint_id"] = checkpoint
        one["phase"] = "ready"

    def _end(self, machine, one, phase):
        if one["phase"] == "ready":
            machine.storage.thaw(one["_numbers"], one["_known"])
        one["phase"] = phase
        self._rest(machine)

    def remove_checkpoint(self, vm_id, checkpoint):
        machine = self.machine(vm_id)
        ids = [one["id"] for one in machine.checkpoints]
        if checkpoint not in ids:
            raise KeyError(checkpoint)
        if machine.open_backup():
            raise Refused("[Cannot remove VM checkpoint. The VM is during a backup operation.]")
        if ids[0] != checkpoint:
            raise Refused("[Cannot remove VM checkpoint. Only the root checkpoint of the chain can be removed.]")
        self._storage(machine).remove(checkpoint)
        machine.checkpoints = machine.checkpoints[1:]
        if machine.checkpoints:
            machine.checkpoints[0]["parent_id"] = None
        self._rest(machine)

    # ---- transfers

    def _find(self, backup_id):
        for machine in self.machines.values():
            for one in machine.backups:
                if one["id"] == backup_id:
                    return machine, one
        raise Refused(f"[Cannot transfer Virtual Disk: The backup {backup_id} does not exist.]")

    def check(self, backup_id, disk_id):
        _, one = self._find(backup_id)
        if one["phase"] != "ready" or disk_id not in one["_disks"]:
            raise Refused(f"[Cannot transfer Virtual Disk: The backup is not ready, or not of that disk; its phase is {one['phase']}.]")

    def export(self, backup_id, disk_id):
        """Where the frozen disk is read, and whether what has changed is known."""
        machine, one = self._find(backup_id)
        number = machine.disks.index(disk_id)
        return f"nbd:unix:{machine.storage.nbd}:exportname=backup{number}", number in one["_known"]

    # ---- what happens to a VM

    def is_open(self, vm):
        return self.machine(vm["id"]).open_backup() is not None

    def write(self, vm, number, seed, every=100, span=1 << 62):
        machine = self.machine(vm["id"])
        if number in machine.guests:
            machine.guests.pop(number).stop()
            machine.storage.end_guest(number)
        if seed is not None:
            assert vm["status"] == "up"
            machine.guests[number] = self._storage(machine).guest(number, seed, every, span)
        self._rest(machine)

    def power_lost(self, vm):
        """The guest's last write is done. A live backup fails with its VM, and leaves no checkpoint."""
        machine = self.machine(vm["id"])
        for number in list(machine.guests):
            self.write(vm, number, None)
        one = machine.open_backup()
        if one and one["_live"]:
            self._end(machine, one, "failed")
            machine.checkpoints = [each for each in machine.checkpoints if each["id"] != one.get("to_checkpoint_id")]
        self._rest(machine)

    def lose_checkpoints(self, vm):
        machine = self.machine(vm["id"])
        for one in machine.checkpoints:
            self._storage(machine).remove(one["id"])
        machine.checkpoints = []
        self._rest(machine)

    def summary(self):
        return {machine.vm["name"]: {"backups": [{key: value for key, value in one.items() if not key.startswith("_")} for one in machine.backups],
                                     "checkpoints": machine.checkpoints} for machine in self.machines.values()}

    def stop(self):
        for machine in self.machines.values():
            if machine.storage:
                machine.storage.process.kill()
                machine.storage.process.wait()
