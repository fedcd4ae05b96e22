"""The vCenter of the tests (tests/peers/vcenter) as an object."""
import base64
import functools
import json
import pathlib
import subprocess
import urllib.request

from . import peer

ROOT = pathlib.Path(__file__).resolve().parents[2]
ESTATE_HOSTS = ["DC0_H0", "DC0_C0_H0", "DC0_C1_H0"]  # one that stands alone, one in each of two clusters
ESTATE_VMS = 30


def estate(vms, **config):
    """A configuration of the size that people have: three hosts, two clusters and thirty VMs, those given and others that nobody migrates."""
    others = [{"name": f"other{number}", "host": ESTATE_HOSTS[number % len(ESTATE_HOSTS)], "powerOn": number % 2 == 0}
              for number in range(ESTATE_VMS - len(vms))]
    return {"clusters": 2, "clusterHosts": 1, "vms": [*vms, *others], **config}


@functools.cache
def build_peer(name):
    """The path of the binary of tests/peers/NAME, built when it has to be."""
    return subprocess.run([ROOT / "tests/peers/build", name], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


class Vcenter:
    """A running simulator. config is described in tests/peers/vcenter/config.go."""

    def __init__(self, directory, config, listen="127.0.0.1:0"):
        directory.mkdir(parents=True, exist_ok=True)
        self.user = config.setdefault("user", "administrator@vsphere.local")
        self.password = config.setdefault("password", "s3cret & more")
        config_file = directory / "config.json"
        config_file.write_text(json.dumps(config))
        config_file.chmod(0o600)
        self.log_file = open(directory / "log", "w", encoding="utf-8")
        self.process = subprocess.Popen(
            [build_peer("vcenter"), "--config", config_file, "--dir", directory / "files", "--listen", listen],
            stdout=subprocess.PIPE, stderr=self.log_file, text=True)
        line = self.process.stdout.readline()
        if not line:
            self.process.wait()
            raise RuntimeError("the vCenter did not start: " + (directory / "log").read_text())
        ready = json.loads(line)
        self.url, self.control = ready["url"], ready["control"]
        self.ca, self.sha1, self.sha256 = pathlib.Path(ready["ca"]).read_text(), ready["sha1"], ready["sha256"]
        self.datacenter = ready["datacenter"]
        self.vms = {vm["name"]: vm for vm in ready["vms"]}
        self.networks = {network["name"]: network["id"] for network in ready["networks"]}
        self.datastores = {datastore["name"]: datastore["id"] for datastore in ready["datastores"]}
        self.hosts = {host["name"]: host for host in ready["hosts"]}

    def _ask(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.control + path, data=data, method=method)
        with urllib.request.urlopen(request, timeout=120) as answer:
            return json.load(answer)

    def power(self, vm, state):
        self._ask("POST", "/control/power", {"vm": vm, "state": state})

    def power_of(self, vm):
        return self._ask("GET", f"/control/power?vm={vm}")["state"]

    def write(self, vm, disk, offset, data):
        """What the running guest writes to its disk."""
        self._ask("POST", "/control/write",
                  {"vm": vm, "disk": disk, "offset": offset, "bytes": base64.b64encode(data).decode()})

    def guest(self, vm, **script):
        """A guest that writes by a seeded script: disk, seed and writes=N or every=MS, span=BYTES at the disk's end alone; stop=True ends it."""
        self._ask("POST", "/control/guest", {"vm": vm["name"], **script})

    def export(self, vm, disk, file, snapshot):
        """Writes the disk as the snapshot ("": as the guest) sees it; gives its descriptor's path on this machine."""
        return self._ask("POST", "/control/export", {"vm": vm["name"], "disk": disk, "file": str(file), "snapshot": snapshot})["descriptor"]

    def pages(self, areas=2000, span=0):
        """How much one reply of QueryChangedDiskAreas says."""
        self._ask("POST", "/control/changes", {"areas": areas, "span": span})

    def reset_tracking(self, vm):
        self._ask("POST", "/control/changes", {"vm": vm["name"], "reset": True})

    def fault(self, kind, **details):
        self._ask("POST", "/control/fault", {"kind": kind, **details})

    def lift(self, kind=""):
        self._ask("DELETE", f"/control/fault?kind={kind}")

    def role(self, *privileges, name="MTV"):
        """What the account may do from now on; with no privilege named only what everybody may."""
        self._ask("POST", "/control/role", {"name": name, "privileges": list(privileges)})

    def all_privileges(self):
        self._ask("DELETE", "/control/role")

    def log(self):
        return self._ask("GET", "/control/log")

    def forget(self):
        self._ask("DELETE", "/control/log")

    def reads(self, vm, disk):
        """What was read of a VM's disk: {"requests", "bytes", "twice"}."""
        path = self.vms[vm]["disks"][disk]["path"].replace(".vmdk", "-flat.vmdk")
        return self.log()["reads"].get(path, {"requests": 0, "bytes": 0, "twice": 0, "ranges": []})

    def file(self, vm, disk):
        return pathlib.Path(self.vms[vm]["disks"][disk]["file"])

    def stop(self):
        peer.end(self.process)
        self.log_file.close()
