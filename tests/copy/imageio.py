"""The real ovirt-imageio daemon, from PyPI, in front of a disk image."""
import http.client
import json
import pathlib
import shutil
import socket
import subprocess
import time
import uuid

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PACKAGE = "ovirt-imageio==2.5.1 --hash=sha256:7dbb735728c5a80a7cc39165d54f7504c250842ef714a1a7f928c47b7a873cff\n"


def installed():
    """The daemon's program, in an environment of its own; skips where it cannot be had."""
    program = ROOT / ".cache/imageio/bin/ovirt-imageio"
    if program.exists():
        return program
    environment = program.parents[1]
    environment.parent.mkdir(exist_ok=True)
    (environment.parent / "imageio.txt").write_text(PACKAGE)
    steps = [["python3", "-m", "venv", environment],
             [environment / "bin/pip", "install", "--quiet", "--no-deps", "--require-hashes", "-r", environment.parent / "imageio.txt"]]
    for step in steps:
        result = subprocess.run(step, capture_output=True, text=True, check=False)
        if result.returncode:
            shutil.rmtree(environment, ignore_errors=True)
            pytest.skip(f"ovirt-imageio cannot be installed here: {result.stderr.strip().splitlines()[-1]}")
    return program


class UnixConnection(http.client.HTTPConnection):
    """HTTP over a unix socket."""

    def __init__(self, path):
        super().__init__("localhost")
        self.path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self.path)


class Imageio:
    """The daemon with one qcow2 image behind qemu-nbd, and tickets for it."""

    def __init__(self, directory, image, pem, ca):
        self.directory = pathlib.Path(directory)
        self.control, self.nbd = self.directory / "control", self.directory / "nbd"
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        (self.directory / "conf.d").mkdir()
        (self.directory / "conf.d/50.conf").write_text(f"""
[daemon]
drop_privileges = false
systemd_enable = false
run_dir = {self.directory}
[tls]
enable = true
key_file = {pem}
cert_file = {ca}
ca_file = {ca}
[remote]
host = 127.0.0.1
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
        self.processes = [
            subprocess.Popen(["qemu-nbd", "-r", "-t", "-e", "8", "-f", "qcow2", "-x", "", "-A", "-k", self.nbd, image]),
            subprocess.Popen([installed(), "--conf-dir", self.directory])]
        self.size = json.loads(subprocess.run(["qemu-img", "info", "-U", "--output=json", image], capture_output=True, check=True).stdout)["virtual-size"]
        end = time.monotonic() + 30
        while not (self.control.exists() and self.nbd.exists() and self._is_listening()):
            assert time.monotonic() < end, "the daemon does not start"
            time.sleep(0.05)

    def _is_listening(self):
        with socket.socket() as probe, socket.socket(socket.AF_UNIX) as control:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0 and control.connect_ex(str(self.control)) == 0

    def _ask(self, method, path, body=None):
        connection = UnixConnection(self.control)
        connection.request(method, path, json.dumps(body) if body else None)
        reply = connection.getresponse()
        text = reply.read()
        assert reply.status < 300, text
        return json.loads(text) if text else None

    def new_ticket(self):
        """The URL of a transfer."""
        self.ticket = str(uuid.uuid4())
        self._ask("PUT", f"/tickets/{self.ticket}", {"uuid": self.ticket, "size": self.size, "url": f"nbd:unix:{self.nbd}",
                                                     "timeout": 3000, "ops": ["read"], "sparse": True})
        return f"https://127.0.0.1:{self.port}/images/{self.ticket}"

    def drop_ticket(self):
        self._ask("DELETE", f"/tickets/{self.ticket}")

    def transferred(self):
        return self._ask("GET", f"/tickets/{self.ticket}").get("transferred", 0)

    def close(self):
        for process in self.processes:
            process.terminate()
            process.wait()
