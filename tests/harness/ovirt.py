"""The oVirt engine of the tests (tests/peers/ovirt-engine) as an object."""
import json
import pathlib
import subprocess
import sys
import tempfile
import urllib.request

from . import peer

ROOT = pathlib.Path(__file__).resolve().parents[2]
PACKAGE = "ovirt-imageio==2.5.1 --hash=sha256:7dbb735728c5a80a7cc39165d54f7504c250842ef714a1a7f928c47b7a873cff\n"


def imageio():
    """The program of the real daemon, in an environment of its own; RuntimeError says why it cannot be had."""
    program = ROOT / ".cache/imageio/bin/ovirt-imageio"
    if program.exists():
        return program
    environment = program.parents[1]
    environment.parent.mkdir(exist_ok=True)
    wanted = environment.parent / "imageio.txt"
    wanted.write_text(PACKAGE)
    for step in (["python3", "-m", "venv", environment],
                 [environment / "bin/pip", "install", "--quiet", "--no-deps", "--require-hashes", "-r", wanted]):
        result = subprocess.run(step, capture_output=True, text=True, check=False)
        if result.returncode:
            subprocess.run(["rm", "-rf", environment], check=False)
            raise RuntimeError(f"ovirt-imageio cannot be installed here: {result.stderr.strip().splitlines()[-1]}")
    return program


class Ovirt:
    """A running engine. config is described in tests/peers/ovirt-engine/stock.py and engine.py."""

    def __init__(self, directory, config, listen="127.0.0.1:0"):
        program = imageio()
        directory.mkdir(parents=True, exist_ok=True)
        self.user = config.setdefault("user", "admin@internal")
        self.password = config.setdefault("password", "s3cret & more")
        config_file = directory / "config.json"
        config_file.write_text(json.dumps(config))
        self.sockets = tempfile.TemporaryDirectory(prefix="ovirt-")  # unix sockets need short paths
        self.log_path = directory / "log"
        self.log_file = open(self.log_path, "w", encoding="utf-8")
        self.process = subprocess.Popen(
            [sys.executable, ROOT / "tests/peers/ovirt-engine/engine.py", "--config", config_file, "--dir", self.sockets.name,
             "--imageio", program, "--listen", listen], stdout=subprocess.PIPE, stderr=self.log_file, text=True)
        line = self.process.stdout.readline()
        if not line:
            self.process.wait()
            raise RuntimeError("the engine did not start: " + self.log_path.read_text())
        ready = json.loads(line)
        self.ready, self.url, self.control = ready, ready["url"], ready["control"]
        self.engine_ca, self.imageio_ca = (pathlib.Path(ready[name]).read_text() for name in ("engineCa", "imageioCa"))
        self.cacert = self.engine_ca + self.imageio_ca
        self.imageio_address, self.vms, self.disks = ready["imageioAddress"], ready["vms"], ready["disks"]

    def _ask(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.control}/control/{path}", data=data, method=method)
        with urllib.request.urlopen(request, timeout=120) as answer:
            return json.load(answer)

    def log(self):
        """{"logins", "requests", "calls", "transfers": all that there ever were, "left": ids of those that have not ended}."""
        return self._ask("GET", "log")

    def fault(self, kind, **details):
        """kind: "status" (path, times, status), "expire tickets", "restart daemon", "forget tokens", "deaf" (vm)."""
        self._ask("POST", "fault", {"kind": kind, **details})

    def lift(self):
        self._ask("DELETE", "fault")

    def tell(self, what, **details):
        """what: "power", "disk", "change", "add", "remove", "password"; engine.py says what each wants."""
        self._ask("POST", what, details)

    def stop(self):
        peer.end(self.process)
        self.log_file.close()
        self.sockets.cleanup()
