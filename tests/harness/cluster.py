"""`gantry up` as an object, and stock kubectl on it."""
import json
import os
import pathlib
import random
import re
import signal
import socket
import subprocess

import yaml

from . import waiting

ROOT = pathlib.Path(__file__).resolve().parents[2]
SANITIZER = re.compile(r"ERROR: (Address|Leak|Thread)Sanitizer|runtime error:|SUMMARY: \w*Sanitizer")
COMPLAINT = re.compile(r"^\S+ (WARN|ERROR) ")
PORTS = 5  # API, console, inventory, validation, must-gather


def free_ports(count=PORTS):
    """The first of count neighbouring ports that nobody listens on, below those that the kernel gives to outgoing connections; tests that
    run side by side draw from ports of their own."""
    worker, workers = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:]), int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    width = 12000 // workers
    for _ in range(100):
        first = 20000 + worker * width + random.SystemRandom().randrange(width - count)
        try:
            for port in range(first, first + count):
                with socket.socket() as probe:
                    probe.bind(("127.0.0.1", port))
        except OSError:
            continue
        return first
    raise RuntimeError("no free block of ports")


class KubectlError(AssertionError):
    """kubectl did not succeed; stderr has its words."""

    def __init__(self, arguments, result):
        super().__init__(f"kubectl {' '.join(map(str, arguments))}: exit code {result.returncode}: {result.stderr.strip()}")
        self.stderr = result.stderr


class Kubectl:
    """Stock kubectl with one kubeconfig."""

    def __init__(self, kubeconfig):
        self.kubeconfig = kubeconfig

    def __call__(self, *arguments, stdin=None, check=True, timeout=waiting.SHORT):
        """Runs it and gives standard output; with check=False the whole result."""
        environment = {**os.environ, "KUBECONFIG": str(self.kubeconfig), "HOME": str(pathlib.Path(self.kubeconfig).parent)}
        result = subprocess.run(["kubectl", *map(str, arguments)], input=stdin, env=environment, text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=timeout, check=False)
        if not check:
            return result
        if result.returncode:
            raise KubectlError(arguments, result)
        return result.stdout

    def apply(self, *manifests):
        """kubectl apply of manifests given as dictionaries."""
        return self("apply", "-f", "-", stdin=yaml.safe_dump_all(manifests, sort_keys=False))

    def get(self, kind, name=None, namespace="openshift-mtv", selector=None):
        """One object, or the list of those there are; None when the named one is not there."""
        arguments = ["get", kind, "-n", namespace, "-o", "json"]
        if name:
            arguments.append(name)
        if selector:
            arguments += ["-l", selector]
        result = self(*arguments, check=False)
        if result.returncode and "not found" in result.stderr.lower() and name:
            return None
        if result.returncode:
            raise KubectlError(arguments, result)
        answer = json.loads(result.stdout)
        return answer if name else answer["items"]

    def condition(self, kind, name, wanted, namespace="openshift-mtv", seconds=waiting.SHORT):
        """Waits for a condition with status True and gives it."""
        last = {}

        def look():
            last["object"] = self.get(kind, name, namespace)
            return condition_of(last["object"], wanted)

        def there():
            found = (last["object"] or {}).get("status", {}).get("conditions", [])
            return f"{wanted} on {kind}/{name}, but " + (json.dumps(found) if last["object"] else "not even the object")

        return waiting.until(there, look, seconds)


def condition_of(thing, wanted):
    for condition in (thing or {}).get("status", {}).get("conditions", []):
        if condition["type"] == wanted and condition["status"] == "True":
            return condition
    return None


class Cluster:
    """One `gantry up`. May be killed and started again on the same directory and ports."""

    def __init__(self, gantry, directory, *options):
        self.gantry, self.directory, self.options = gantry, pathlib.Path(directory), options
        self.data = self.directory / "data"
        self.port = free_ports()
        self.process, self.starts = None, 0
        self.allowed = []
        self._seen = {}
        self.kubectl = Kubectl(self.data / "kubeconfig")
        self.directory.mkdir(parents=True, exist_ok=True)

    def command(self):
        return [self.gantry, "up", "--data", self.data, "--listen", f"127.0.0.1:{self.port}", *self.options]

    def start(self):
        self.starts += 1
        environment = {**os.environ, "ASAN_OPTIONS": "detect_leaks=1:abort_on_error=0", "UBSAN_OPTIONS": "print_stacktrace=1"}
        self.log_path = self.directory / f"up-{self.starts}.log"
        with open(self.log_path, "w", encoding="utf-8") as log:
            self.process = subprocess.Popen(
                self.command(),
                stdout=subprocess.PIPE, stderr=log, text=True, env=environment, start_new_session=True)
        self.ready = self.process.stdout.readline().strip()
        if not self.ready:
            code = self.process.wait()
            raise RuntimeError(f"{self.command()[1]} ended with {code}:\n" + self.log_path.read_text())
        return self

    def stop(self):
        """SIGTERM, and the exit code."""
        if self.process is None:
            return 0
        self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(timeout=waiting.SHORT)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError("gantry up did not stop after SIGTERM") from None
        self._closed()
        return code

    def kill(self):
        """SIGKILL of `gantry up` alone: its Pods and VMs go on, as they do when it crashes."""
        # Its Pods miss the API and the Services' addresses until the next one serves them, and say so.
        self.allow(rf"127\.0\.0\.1:{self.port}: ", r"cannot be reached: [\w.-]+\.svc:")
        self.process.kill()
        self.process.wait()
        self._closed()

    def _closed(self):
        self.process.stdout.close()
        self.process = None

    def processes(self):
        """The pids of Pods and VMs of this cluster: those that name its data directory, or have a part of it mounted."""
        mark, found = os.fsencode(str(self.data)), []
        for entry in pathlib.Path("/proc").iterdir():
            if not entry.name.isdigit() or int(entry.name) in (os.getpid(), self.process.pid if self.process else 0):
                continue
            try:
                if mark in (entry / "cmdline").read_bytes() or mark in (entry / "mountinfo").read_bytes():
                    found.append(int(entry.name))
            except OSError:
                continue
        return found

    def crash(self):
        """What a power cut does: everything of this cluster is gone at once."""
        if self.process:
            self.kill()
        self.end_processes()

    def end_processes(self):
        def gone():
            left = self.processes()
            for pid in left:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            return not left

        waiting.until("end of the cluster's processes", gone)

    # ---- logs

    def allow(self, *patterns):
        """Log lines with WARN or ERROR that match one of these are expected from now on."""
        self.allowed += [re.compile(pattern) for pattern in patterns]

    def logs(self):
        """Every log file: of `gantry up` itself and of its Pods, which may go while one looks (os.walk() bears that, rglob() does not)."""
        kept = list(self.directory.glob("up-*.log"))
        for directory, _, names in os.walk(self.data):
            kept += [pathlib.Path(directory, name) for name in names if name.endswith(".log")]
        return sorted(kept)

    def logs_of(self, namespace, selector):
        """What the Pods have said that the selector names."""
        return self.kubectl("logs", "-n", namespace, "-l", selector, "--tail=-1")

    def complaints(self):
        """New sanitizer reports and unexpected warnings since the last call, as "file: line"."""
        found = []
        for path in self.logs():
            try:
                with open(path, encoding="utf-8", errors="replace") as log:
                    log.seek(self._seen.get(path, 0))
                    text = log.read()
                    self._seen[path] = log.tell()
            except FileNotFoundError:  # its Pod was deleted just now
                continue
            for line in text.splitlines():
                if SANITIZER.search(line) or (COMPLAINT.match(line) and not any(p.search(line) for p in self.allowed)):
                    found.append(f"{path.relative_to(self.directory)}: {line}")
        return found

    @staticmethod
    def _seen_from_outside(pid):
        """A process, and where each of its threads waits."""
        try:
            command = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")[:200]
        except OSError:
            command = "has just ended"
        lines = []
        for task in pathlib.Path(f"/proc/{pid}/task").glob("*"):
            try:
                lines.append(f"  {(task / 'comm').read_text().strip()} {(task / 'wchan').read_text()} {(task / 'syscall').read_text().strip()}")
            except OSError:  # it has just ended
                continue
        return f"process {pid}: {command}\n" + "\n".join(sorted(lines))

    def report(self, lines=60):
        """What a person wants to see when a test failed."""
        parts = [f"data directory {self.data}"]
        if self.process:
            for arguments in (["get", "pods,datavolumes,pvc,vm,vmi", "-A"], ["get", "plans,migrations", "-A", "-o", "yaml"]):
                parts.append(f"$ kubectl {' '.join(arguments)}\n" + self.kubectl(*arguments, check=False).stdout[-8000:])
            pods = json.loads(self.kubectl("get", "pods", "-A", "-o", "json", check=False).stdout or "{}").get("items", [])
            parts += [f"a Pod that is to go: {json.dumps(one)[:4000]}" for one in pods if "deletionTimestamp" in one["metadata"]]
            parts += [self._seen_from_outside(pid) for pid in [self.process.pid, *self.processes()]]
        for path in self.logs():
            try:
                text = path.read_text(encoding="utf-8", errors="replace").splitlines()
            except FileNotFoundError:
                continue
            parts.append(f"--- {path.relative_to(self.directory)}\n" + "\n".join(text[-lines:]))
        return "\n".join(parts)
