"""Image transfers in front of the real ovirt-imageio daemon, with a qemu-nbd behind each disk that is being read."""
import http.client
import json
import pathlib
import random
import signal
import socket
import subprocess
import sys
import threading
import time
import uuid

from refused import Refused
from stock import API

ENDED = ("finished_success", "finished_failure", "cancelled")


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=20)
        self.path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self.path)


def free_address():
    """A loopback address on which nobody has the daemon's port."""
    while True:
        address = f"127.{random.randrange(200, 250)}.{random.randrange(1, 255)}.{random.randrange(1, 255)}"
        with socket.socket() as probe:
            if probe.connect_ex((address, Daemon.port)):
                return address


class Daemon:
    """ovirt-imageio, which every host of the engine shares here, on an address of its own. It may be killed and started again."""

    port = 54322

    def __init__(self, program, directory, authority, address):
        self.program, self.directory, self.address = program, pathlib.Path(directory), address
        self.control = self.directory / "control"
        (self.directory / "conf.d").mkdir(parents=True)
        (self.directory / "conf.d/50.conf").write_text(f"""
[daemon]
drop_privileges = false
systemd_enable = false
run_dir = {self.directory}
[tls]
enable = true
key_file = {authority.key}
cert_file = {authority.certificate}
ca_file = {authority.ca}
[remote]
host = {self.address}
port = {self.port}
[local]
enable = false
[control]
transport = unix
socket = {self.control}
[handlers]
keys = stderr
[logger_root]
handlers = stderr
level = WARNING
""")
        self.process = None
        self.start()

    def start(self):
        self.control.unlink(missing_ok=True)
        self.process = subprocess.Popen([self.program, "--conf-dir", self.directory])
        end = time.monotonic() + 60
        while not self._answers():
            if self.process.poll() is not None or time.monotonic() > end:
                raise RuntimeError("ovirt-imageio does not start")
            time.sleep(0.05)

    def _answers(self):
        with socket.socket() as probe:
            return self.control.exists() and probe.connect_ex((self.address, self.port)) == 0

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def ask(self, method, path, body=None):
        """The answer's document, or None when there is no such ticket."""
        connection = _UnixConnection(self.control)
        connection.request(method, path, json.dumps(body) if body else None)
        reply = connection.getresponse()
        text = reply.read()
        connection.close()
        if reply.status == 404:
            return None
        if reply.status >= 300:
            raise RuntimeError(f"imageio: {method} {path}: {reply.status} {text}")
        return json.loads(text) if text else {}


class Transfers:
    """All of the engine's image transfers. The engine's lock guards them; a thread ends those that idle."""

    def __init__(self, engine, daemon, directory, config):
        self.engine, self.daemon, self.directory = engine, daemon, pathlib.Path(directory)
        self.host = config.get("transferHost", daemon.address)
        self.has_proxy = config.get("proxy", False)
        self.slow = config.get("initializingPolls", 1)
        self.all, self.history = {}, []
        threading.Thread(target=self._watch, daemon=True).start()

    # ---- what clients ask for, with the lock held

    def create(self, body):
        disk_id = body.get("disk", {}).get("id")
        disk = self.engine.stock.kinds["disk"].get(disk_id)
        if disk is None or disk_id not in self.engine.stock.files:
            raise Refused(f"[Cannot transfer Virtual Disk: Disk {disk_id} does not exist or has no image.]")
        if "backup" in body:
            self.engine.backups.check(body["backup"]["id"], disk_id)
            return self._add(body, disk_id)
        if disk["status"] != "ok":
            raise Refused(f"[Cannot transfer Virtual Disk: The following disks are locked: {disk['name']}. Please try again in a few minutes.]")
        users = [vm["name"] for vm in self.engine.stock.kinds["vm"].values() if vm["status"] != "down" and any(
            one["disk"]["id"] == disk_id for one in vm["disk_attachments"].get("disk_attachment", []))]
        if users:
            raise Refused(f"[Cannot transfer Virtual Disk: Disk is attached to running VM {users[0]}.]")
        if body.get("direction") != "download" or body.get("format") != "raw":
            raise Refused("[Cannot transfer Virtual Disk: only raw downloads are possible here.]")
        self.engine.set_disk_status(disk_id, "locked")
        return self._add(body, disk_id)

    def _add(self, body, disk_id):
        one = {"id": str(uuid.uuid4()), "phase": "initializing", "direction": "download", "format": "raw", "disk": {"id": disk_id},
               "image": {"id": disk_id}, "inactivity_timeout": int(body.get("inactivity_timeout", 60)), "active": False, "transferred": 0,
               "timeout_policy": body.get("timeout_policy", "legacy"), "_polls": self.slow, "_touched": time.monotonic()}
        one["href"] = f"{API}/imagetransfers/{one['id']}"
        if "backup" in body:
            one["backup"] = {"id": body["backup"]["id"]}
        self.all[one["id"]] = one
        self.history.append(one)
        return one

    def look(self, one):
        """A client has asked for it: one that was initializing comes to transfer."""
        if one["phase"] == "initializing":
            one["_polls"] -= 1
            if one["_polls"] < 0:
                self._begin(one)
        return one

    def extend(self, one):
        one["_touched"] = time.monotonic()
        if one["phase"] == "transferring":
            self.daemon.ask("PATCH", f"/tickets/{one['_ticket']}", {"timeout": 300})

    def finish(self, one, good):
        if one["phase"] in ENDED:
            raise Refused("[Cannot finalize image transfer: it has ended.]")
        one["phase"] = "finalizing_success" if good else "finalizing_cleanup"
        threading.Thread(target=self._end, args=(one, good), daemon=True).start()

    # ---- behind the scenes

    def _begin(self, one):
        one["_ticket"] = str(uuid.uuid4())
        if "backup" in one:
            one["_url"], one["_dirty"] = self.engine.backups.export(one["backup"]["id"], one["disk"]["id"])
        else:
            one["_url"] = f"nbd:unix:{self._serve(one)}"
        self._put_ticket(one)
        one["transfer_url"] = f"https://{self.host}:{self.daemon.port}/images/{one['_ticket']}"
        if self.has_proxy:
            one["proxy_url"] = f"https://{self.daemon.address}:{self.daemon.port}/images/{one['_ticket']}"
        one["phase"] = "transferring"

    def _serve(self, one):
        path, form = self.engine.stock.files[one["disk"]["id"]]
        sock = self.directory / f"nbd-{one['id'][:8]}"
        one["_nbd"] = subprocess.Popen(["qemu-nbd", "-r", "-t", "-e", "8", "-f", form, "-x", "", "-A", "-k", sock, path])
        end = time.monotonic() + 30
        while not sock.exists():
            assert time.monotonic() < end, "qemu-nbd does not start"
            time.sleep(0.01)
        return sock

    def _put_ticket(self, one):
        size = self.engine.stock.kinds["disk"][one["disk"]["id"]]["provisioned_size"]
        self.daemon.ask("PUT", f"/tickets/{one['_ticket']}", {
            "uuid": one["_ticket"], "size": size, "url": one["_url"], "timeout": 300, "ops": ["read"], "sparse": True, "dirty": one.get("_dirty", False),
            "transfer_id": one["id"], "inactivity_timeout": one["inactivity_timeout"]})

    def _end(self, one, good):
        try:
            if "_ticket" in one:
                ticket = self.daemon.ask("GET", f"/tickets/{one['_ticket']}") or {}
                one["transferred"] = ticket.get("transferred", one["transferred"])
                self.daemon.ask("DELETE", f"/tickets/{one['_ticket']}")
        except (OSError, RuntimeError):
            pass  # a daemon that is away has lost its tickets
        with self.engine.lock:
            if "_nbd" in one:
                one["_nbd"].terminate()
                one["_nbd"].wait()
            if "backup" not in one and self.engine.stock.kinds["disk"].get(one["disk"]["id"], {}).get("status") == "locked":
                self.engine.set_disk_status(one["disk"]["id"], "ok")
            one["phase"] = "finished_success" if good else "finished_failure"
            self.all.pop(one["id"], None)

    def drop_tickets(self):
        """They expire, as when nobody extended them; the transfers stay for the engine to find out. Meanwhile clients begin others and
        read on: a daemon that still waits for a reader has canceled the ticket all the same."""
        for one in list(self.all.values()):
            if "_ticket" in one:
                try:
                    self.daemon.ask("DELETE", f"/tickets/{one['_ticket']}")
                except (OSError, RuntimeError) as problem:
                    print("expire tickets:", problem, file=sys.stderr)

    def _idle(self, one):
        """For how long nobody has used or extended it; longer than allowed when its ticket is lost."""
        quiet = time.monotonic() - one["_touched"]
        if one["phase"] != "transferring":
            return quiet
        try:
            ticket = self.daemon.ask("GET", f"/tickets/{one['_ticket']}")
        except OSError:
            return quiet
        if ticket is None:
            return one["inactivity_timeout"] + 1 if quiet > 5 else quiet
        one["transferred"], one["active"] = ticket.get("transferred", 0), ticket.get("active", False)
        return min(quiet, 0 if ticket.get("active") else ticket.get("idle_time", quiet))

    def _watch(self):
        while True:
            time.sleep(1)
            with self.engine.lock:
                running = [one for one in self.all.values() if one["phase"] in ("initializing", "transferring")]
            for one in running:
                if self._idle(one) > one["inactivity_timeout"]:
                    with self.engine.lock:
                        if one["phase"] in ("initializing", "transferring"):
                            self.finish(one, False)

    def stop(self):
        for one in list(self.all.values()):
            if "_nbd" in one:
                one["_nbd"].kill()
        self.daemon.process.terminate()
        self.daemon.process.wait()
