"""`gantry inventory` as a process of its own, against the API of a bare cluster: its memory can be looked at, and it can be killed."""
import base64
import json
import os
import pathlib
import re
import signal
import subprocess
import urllib.error
import urllib.request

import yaml

from . import manifests, waiting
from .cluster import SANITIZER


class Standalone:
    def __init__(self, gantry, cluster, directory, **environment):
        self.directory, self.cluster, self.kubectl = pathlib.Path(directory), cluster, cluster.kubectl
        self.gantry, self.environment, self.starts = gantry, environment, 0
        config = yaml.safe_load(self.kubectl.kubeconfig.read_text())
        self.token = config["users"][0]["user"]["token"]
        self.start()

    def start(self):
        self.starts += 1
        self.log_path = self.directory / f"inventory-{self.starts}.log"
        environment = {**os.environ, "KUBECONFIG": str(self.kubectl.kubeconfig), **self.environment,
                       # Freed memory goes back at once: what is resident is what is held.
                       "ASAN_OPTIONS": "detect_leaks=1:quarantine_size_mb=0:thread_local_quarantine_size_kb=0:malloc_context_size=3"}
        with open(self.log_path, "w", encoding="utf-8") as log:
            self.process = subprocess.Popen([self.gantry, "inventory", "--listen", "127.0.0.1:0", "--working-dir", self.directory / "databases"],
                                            stderr=log, stdout=log, env=environment)
        ready = waiting.until(lambda: f"inventory: {self.log()}", lambda: re.search(r"inventory service ready.*port=(\d+)", self.log()) or self.ended())
        assert ready is not True, self.log()
        self.base = f"http://127.0.0.1:{ready.group(1)}"

    def ended(self):
        return self.process.poll() is not None

    def log(self):
        return self.log_path.read_text(encoding="utf-8", errors="replace")

    def stop(self):
        """SIGTERM; no sanitizer has anything to say."""
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(timeout=waiting.SHORT)
        assert code == 0 and not SANITIZER.search(self.log()), f"it ended with {code}:\n{self.log()[-4000:]}"

    def kill(self):
        self.process.kill()
        self.process.wait()

    def ask(self, path, token=None, method="GET", **headers):
        """Status, headers and decoded body."""
        request = urllib.request.Request(f"{self.base}/{path}", method=method, headers={
            "Authorization": f"Bearer {self.token if token is None else token}", **headers})
        try:
            with urllib.request.urlopen(request, timeout=waiting.SHORT) as answer:
                text = answer.read()
                return answer.status, answer.headers, json.loads(text) if text else None
        except urllib.error.HTTPError as problem:
            return problem.code, problem.headers, None

    def get(self, path):
        status, headers, body = self.ask(path)
        assert status == 200, f"{path}: {status} {headers.get('X-Reason')}"
        return body

    def resident(self):
        """MiB that this process holds in memory."""
        text = pathlib.Path(f"/proc/{self.process.pid}/smaps_rollup").read_text(encoding="ascii")
        return int(re.search(r"^Rss:\s+(\d+)", text, re.M).group(1)) / 1024

    # ---- providers

    def add(self, name, vcenter, **secret):
        """A Provider for that vCenter, not waited for."""
        self.kubectl.apply(manifests.secret(name, vcenter.user, vcenter.password, **(secret or {"thumbprint": vcenter.sha1})),
                           manifests.provider(name, vcenter.url))

    def path(self, name):
        return f"providers/vsphere/{self.kubectl.get('provider', name)['metadata']['uid']}"

    def everything(self, name):
        """All objects of a loaded provider, without what depends on when they were said: {(collection, id): object}."""
        found, source = {}, self.path(name)
        for collection in ("folders", "datacenters", "clusters", "hosts", "networks", "datastores", "vms"):
            for item in self.get(f"{source}/{collection}?detail=all"):
                for key in ("revision", "revisionValidated", "policyVersion", "concerns", "selfLink"):
                    item.pop(key, None)
                found[collection, item["id"]] = item
        return found


def cluster_access(cluster):
    """url, CA and token by which another one reaches this cluster."""
    config = yaml.safe_load(cluster.kubectl.kubeconfig.read_text())
    server = config["clusters"][0]["cluster"]
    return server["server"], base64.b64decode(server["certificate-authority-data"]).decode(), config["users"][0]["user"]["token"]
