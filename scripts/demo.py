"""The second half of ./demo: everything is built; a VM moves.

Exit status 0 only if the plan has succeeded, every disk was read back equal, and the target VM has said on its serial console that it has the source's network
cards and, where the source's data disk is known, that disk's checksum.
"""
import argparse
import base64
import getpass
import hashlib
import json
import os
import pathlib
import re
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from harness import manifests, waiting  # noqa: E402
from harness.cluster import Cluster, condition_of  # noqa: E402
from harness.migration import sha256  # noqa: E402
from harness.ovirt import Ovirt  # noqa: E402
from harness.vcenter import Vcenter  # noqa: E402

TERMINAL = sys.stdin.isatty() and sys.stdout.isatty()
BOLD, DIM, GREEN, RED, PLAIN = ("\033[1m", "\033[2m", "\033[32m", "\033[31m", "\033[0m") if sys.stdout.isatty() else ("",) * 5
MACS = {"debian": ["00:50:56:1d:eb:01", "00:50:56:1d:eb:02"], "tiny": ["00:50:56:7a:11:01", "00:50:56:7a:11:02"], "ovirt": ["56:6f:7a:11:00:01"]}
BRIDGE = "gantry-storage"


class Failed(Exception):
    """The demo cannot go on, or something it has to show is not true."""


class Task:
    """One line of the demo: what is being done, then how it went and how long it took."""

    def __init__(self, what):
        self.what, self.note = what, ""

    def __enter__(self):
        self.begun = time.monotonic()
        if sys.stdout.isatty():
            print(f"  … {self.what}", end="", flush=True)
        return self

    def __exit__(self, kind, error, trace):
        mark = f"{GREEN}✓{PLAIN}" if error is None else f"{RED}✗{PLAIN}"
        took = f"{time.monotonic() - self.begun:.0f} s"
        start = "\r\033[K" if sys.stdout.isatty() else ""
        print(f"{start}  {mark} {self.what:<24} {self.note:<48} {DIM}{took:>6}{PLAIN}".rstrip(), flush=True)


def title(text):
    print(f"\n{BOLD}{text}{PLAIN}", flush=True)


def manifest(name, values):
    """A manifest of examples/ with its <placeholders> filled in."""
    text = (ROOT / "examples" / name).read_text()
    for placeholder, value in values.items():
        text = text.replace(f"<{placeholder}>", json.dumps(value))
    return text


class Simulated:
    """A vCenter of our own with one running VM of two disks and two network cards."""

    provider, folder = "vcenter", "quickstart"

    def __init__(self, home, vm):
        self.home, self.vm = home, vm
        self.macs = MACS[vm]
        self.plan_file = "quickstart/5-plan.yaml" if vm == "debian" else "no-conversion/5-plan.yaml"

    def start(self):
        boot, data = self.home / "boot.raw", self.home / "data.raw"
        with Task("guest disks") as task:
            guests = ROOT / "tests/guests"
            subprocess.run([guests / f"{self.vm}.sh", boot] + (["--stay"] if self.vm == "tiny" else []), check=True)
            subprocess.run([guests / "data.sh", data, "128" if self.vm == "debian" else "16"], check=True)
            self.checksum = sha256(data)
            task.note = f"{self.vm}: {(boot.stat().st_size + data.stat().st_size) >> 20} MB in two disks"
        with Task("vCenter simulator") as task:
            self.vcenter = Vcenter(self.home / "vcenter", {
                "networks": ["Storage Network"],
                "vms": [{"name": self.vm, "powerOn": True, "memoryMB": 512 if self.vm == "debian" else 128, "cpus": 1,
                         "hostName": self.vm, "ipAddress": "192.0.2.10", "disks": [{"file": str(boot)}, {"file": str(data)}],
                         "nics": [{"network": network, "mac": mac}
                                  for network, mac in zip(("VM Network", "Storage Network"), self.macs)]}]})
            task.note = f"{self.vcenter.url}, VM {self.vm} runs there"
        self.url, self.user, self.password = self.vcenter.url, self.vcenter.user, self.vcenter.password
        self.thumbprint = self.vcenter.sha1

    def values(self):
        return {"user": self.user, "password": self.password, "vcenter_fingerprint": self.thumbprint, "api_end_point": self.url}

    def simulator(self):
        return self.vcenter.process.pid

    def apply_plan(self, kubectl):
        for name in ("quickstart/3-network-map.yaml", "quickstart/4-storage-map.yaml", self.plan_file):
            kubectl("apply", "-f", "-", stdin=manifest(name, {}))

    def stop(self):
        if hasattr(self, "vcenter"):
            self.vcenter.stop()


class SimulatedWarm(Simulated):
    """The vCenter again; its VM runs and writes to its data disk until the cutover."""

    rounds = 3

    def __init__(self, home):
        super().__init__(home, "tiny")
        self.plan_file = "warm/5-plan.yaml"

    def apply_plan(self, kubectl):
        # What the source lacks is switched on, and a precopy follows the other at once.
        kubectl("patch", "forkliftcontroller", "forklift-controller", "-n", "openshift-mtv", "--type=merge", "-p", json.dumps(
            {"spec": {"controller_enable_change_tracking": True, "controller_precopy_interval_seconds": 3}}))
        with Task("the VM's own work") as task:
            self.vcenter.guest({"name": self.vm}, disk=2001, seed=int(time.time()), every=200)
            task.note = "it writes to its data disk, 5 times a second"
        super().apply_plan(kubectl)

    def cut_over(self, kubectl):
        """Waits for the precopies, then sets the cutover's time as a user does."""
        waiting.until("precopies", lambda: self.status(kubectl).get("warm", {}).get("successes", 0) >= self.rounds or
                      self.status(kubectl).get("completed"), waiting.LONG)
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        kubectl("patch", "migration", "demo", "-n", "openshift-mtv", "--type=merge", "-p", json.dumps({"spec": {"cutover": now}}))

    @staticmethod
    def status(kubectl):
        return next(iter(kubectl.get("plan", "demo")["status"].get("migration", {}).get("vms", [])), {})

    def show_passes(self, kubectl):
        """Bytes of each pass, and how long the VM was down; the source's disk as it was at its power-off is what counts."""
        steps = {step["name"]: step for step in self.status(kubectl)["pipeline"]}
        passes = {**steps["DiskTransfer"]["annotations"], **steps["Cutover"]["annotations"]}
        title("Passes")
        last = self.status(kubectl)["warm"]["successes"]
        expected = steps["DiskTransfer"]["annotations"].get("expectedCopySeconds")
        for number in range(1, last + 1):
            what = ("the whole disks" if number == 1 else "what had changed, the VM still running" if number < last else
                    "what had changed, the VM being off" + (f" ({expected} s were expected)" if expected else ""))
            print(f"  {number}  {passes.get(f'precopy-{number}', ''):<24}  {what}")
        print(f"  the VM was down for {steps['Cutover']['annotations']['downtimeSeconds']} s, from its shutdown to its start here")
        final = self.home / "final.raw"
        self.vcenter.export({"name": self.vm}, 2001, final, "")
        self.checksum = sha256(final)


class SimulatedOvirt:
    """An oVirt engine of our own, in front of the real imageio daemon, with one running VM: a thin qcow2 disk and a raw one."""

    provider, folder, vm, macs = "rhv", "ovirt", "tiny", MACS["ovirt"]

    def __init__(self, home):
        self.home = home

    def start(self):
        raw, thin, data = self.home / "boot.raw", self.home / "boot.qcow2", self.home / "data.raw"
        with Task("guest disks") as task:
            guests = ROOT / "tests/guests"
            subprocess.run([guests / "tiny.sh", raw, "--stay"], check=True)
            subprocess.run(["qemu-img", "convert", "-f", "raw", "-O", "qcow2", raw, thin], check=True)
            subprocess.run([guests / "data.sh", data, "16"], check=True)
            self.checksum = sha256(data)
            task.note = "tiny: one thin qcow2, one raw"
        with Task("oVirt engine simulator") as task:
            self.engine = Ovirt(self.home / "engine", {"vms": [{
                "name": "tiny", "powerOn": True, "memoryMB": 128, "nics": [{"mac": self.macs[0]}],
                "disks": [{"file": str(thin), "format": "qcow2", "interface": "virtio"}, {"file": str(data), "interface": "virtio"}]}]})
            task.note = f"{self.engine.url}, VM tiny runs there"

    def values(self):
        engine = self.engine
        return {"user": engine.user, "password": engine.password, "ca_certificates": engine.cacert, "api_end_point": engine.url}

    def simulator(self):
        return self.engine.process.pid

    def apply_plan(self, kubectl):
        for name in ("3-network-map.yaml", "4-storage-map.yaml", "5-plan.yaml"):
            kubectl("apply", "-f", "-", stdin=manifest(f"ovirt/{name}", {}))

    def show_transfers(self):
        log = self.engine.log()
        if log["left"]:
            raise Failed(f"the engine still has the image transfers {log['left']}")
        print(f"  {GREEN}✓{PLAIN} of {len(log['transfers'])} image transfers none is left at the engine")

    def stop(self):
        if hasattr(self, "engine"):
            self.engine.stop()


class Real:
    """The user's own vCenter. Nothing there is changed but the chosen VM's power."""

    provider, folder = "vcenter", "quickstart"

    def __init__(self, options):
        self.url, self.user, self.vm = options.vcenter, options.user, options.vm
        self.password_file, self.accepted = options.password_file, options.thumbprint
        self.checksum = None

    def start(self):
        address = urllib.parse.urlsplit(self.url)
        if address.scheme != "https" or not address.hostname:
            raise Failed(f"--vcenter: {self.url} is not of the form https://VCENTER/sdk")
        try:
            shown = ssl.get_server_certificate((address.hostname, address.port or 443), timeout=20)
        except OSError as error:
            raise Failed(f"{self.url} cannot be reached: {error}") from None
        digest = hashlib.sha256(ssl.PEM_cert_to_DER_cert(shown)).hexdigest().upper()
        self.thumbprint = ":".join(digest[i:i + 2] for i in range(0, 64, 2))
        if self.accepted:
            if self.accepted.upper() != self.thumbprint:
                raise Failed(f"the certificate of {self.url} has the SHA-256 fingerprint {self.thumbprint}, not that of --thumbprint")
        elif not TERMINAL or input(f"  The certificate has the SHA-256 fingerprint\n    {self.thumbprint}\n"
                                   "  Is that your vCenter's? [y/N] ").strip().lower() != "y":
            raise Failed("the vCenter's certificate was not confirmed; --thumbprint FINGERPRINT confirms it without a question")
        self.user = self.user or (input("  User: ") if TERMINAL else "")
        if self.password_file:
            self.password = pathlib.Path(self.password_file).read_text().rstrip("\n")
        elif TERMINAL:
            self.password = getpass.getpass("  Password: ")
        else:
            raise Failed("without a terminal --user, --password-file and --vm are needed")

    def values(self):
        return {"user": self.user, "password": self.password, "vcenter_fingerprint": self.thumbprint, "api_end_point": self.url}

    def apply_plan(self, kubectl):
        inventory = Inventory(kubectl)
        vms = inventory.get("vms?detail=1")
        if not self.vm:
            if not TERMINAL:
                raise Failed("without a terminal --vm NAME is needed")
            title("Virtual machines")
            for vm in sorted(vms, key=lambda vm: vm["name"]):
                print(f"  {vm['name']:<40} {vm.get('powerState', '')}")
            self.vm = input("  Which one? It is shut down, and stays off there. ").strip()
        chosen = [vm for vm in vms if self.vm in (vm["name"], vm["id"])]
        if len(chosen) != 1:
            raise Failed(f"vCenter has {len(chosen)} VMs that are called {self.vm!r}")
        work = inventory.get(f"workloads/{chosen[0]['id']}")
        self.macs = sorted(nic["mac"].lower() for nic in work["nics"])
        networks = list(dict.fromkeys(nic["network"]["id"] for nic in work["nics"]))
        datastores = list(dict.fromkeys(disk["datastore"]["id"] for disk in work["disks"]))
        kubectl.apply(
            manifests.bridge_network("storage", bridge=BRIDGE),
            manifests.network_map("demo", "vcenter", [({"id": network}, "pod" if i == 0 else ("default", "storage"))
                                                      for i, network in enumerate(networks)]),
            manifests.storage_map("demo", "vcenter", [{"id": datastore} for datastore in datastores]),
            manifests.plan("demo", "vcenter", [{"id": chosen[0]["id"]}]))

    def stop(self):
        pass


class Inventory:
    """The inventory's REST API for the provider "vcenter", as the guide asks it in 6.2.3."""

    def __init__(self, kubectl):
        route = kubectl("get", "route", "forklift-inventory", "-n", "openshift-mtv", "-o", "jsonpath={.spec.host}")
        config = json.loads(kubectl("config", "view", "--raw", "-o", "json"))
        self.token = config["users"][0]["user"]["token"]
        authority = base64.b64decode(config["clusters"][0]["cluster"]["certificate-authority-data"]).decode()
        self.trust = ssl.create_default_context(cadata=authority)
        uid = kubectl.get("provider", "vcenter")["metadata"]["uid"]
        self.base = f"https://{route}/providers/vsphere/{uid}/"

    def get(self, path):
        request = urllib.request.Request(self.base + path, headers={"Authorization": f"Bearer {self.token}"})
        with urllib.request.urlopen(request, context=self.trust, timeout=60) as answer:
            return json.load(answer)


def blockers(thing):
    return [c.get("message", c["type"]) for c in thing.get("status", {}).get("conditions", [])
            if c.get("category") in ("Critical", "Error") and c["status"] == "True"]


def ready(kubectl, kind, name):
    """Waits until an object is Ready; a condition that stands in the way ends the demo with its message."""
    first_seen = [None]

    def look():
        thing = kubectl.get(kind, name)
        if condition_of(thing, "Ready"):
            return thing
        stuck = blockers(thing or {})
        if stuck and first_seen[0] is None:
            first_seen[0] = time.monotonic()
        elif not stuck:
            first_seen[0] = None
        if stuck and time.monotonic() - first_seen[0] > 10:
            raise Failed(f"{kind} {name} is not ready: {'; '.join(stuck)}")
        return None

    return waiting.until(f"Ready on {kind} {name}", look, waiting.LONG)


def guest_report(kubectl, vm):
    """Waits for what the target VM says about itself and gives those lines."""
    def look():
        # The launcher's log is the guest's serial console; it may not be there yet.
        said = kubectl("logs", "-n", "default", "-l", f"vm.kubevirt.io/name={vm}", "--tail=-1", check=False).stdout
        return said if "GUEST-DONE" in said else None

    said = waiting.until("word from the target VM on its serial console", look, waiting.LONG, every=1)
    return re.findall(r"^(?:GUEST-UP|NIC|DISK|SHA256) .*$", said.replace("\r", ""), re.M)


def check(source, plan, lines):
    """Raises unless all that the last line claims is true; gives the target's name and the number of bytes verified."""
    vm = plan["status"]["migration"]["vms"][0]
    steps = {step["name"]: step for step in vm["pipeline"]}
    disks = steps.get("Cutover", steps["DiskTransfer"])["tasks"]
    for disk in disks:
        if disk.get("annotations", {}).get("readBack") != "equal":
            raise Failed(f"the disk {disk['name']} was not read back equal")
    if lines is not None:
        macs = [line.split()[2].lower() for line in lines if line.startswith("NIC ")]
        if sorted(macs) != sorted(source.macs):
            raise Failed(f"the target VM has the MAC addresses {macs}, the source has {source.macs}")
        sums = [line.split()[2] for line in lines if line.startswith("SHA256 ")]
        if source.checksum and sums != [source.checksum]:
            raise Failed(f"the target VM's data disk has the checksum {sums}, the source's has {source.checksum}")
    return vm.get("newName") or vm.get("name") or source.vm, sum(int(disk["annotations"]["bytes"]) for disk in disks)


def show_next(cluster, console, vm, own):
    title("What to try next")
    print(f"""  console     {console}
              sign in with the token that this prints:
              kubectl config view --raw -o jsonpath='{{.users[0].user.token}}'
  kubectl     export KUBECONFIG={cluster.data}/kubeconfig
              export PATH={ROOT}/.cache/venv/bin:$PATH
              kubectl get plans,migrations -n openshift-mtv
              kubectl get vms,vmis,datavolumes
              kubectl logs -l vm.kubevirt.io/name={vm} --tail=-1
  own VMs     {own}""")


def migrate(cluster, source):
    kubectl = cluster.kubectl
    with Task("provider") as task:
        for name in ("1-secret.yaml", "2-provider.yaml"):
            kubectl("apply", "-f", "-", stdin=manifest(f"{source.folder}/{name}", source.values()))
        ready(kubectl, "provider", source.provider)
        task.note = "logged in, inventory loaded"
    source.apply_plan(kubectl)
    with Task("plan") as task:
        ready(kubectl, "plan", "demo")
        task.note = "checked: ready"
    title("Migration")
    kubectl("apply", "-f", "-", stdin=manifest("quickstart/6-migration.yaml", {}))
    environment = {**os.environ, "KUBECONFIG": str(cluster.data / "kubeconfig")}
    if isinstance(source, SimulatedWarm):
        threading.Thread(target=source.cut_over, args=(kubectl,), daemon=True).start()
    subprocess.run([cluster.gantry, "progress", "--plan", "demo", "--follow"], env=environment, check=False)
    plan = kubectl.get("plan", "demo")
    if not condition_of(plan, "Succeeded"):
        raise Failed("the plan has not succeeded")
    if isinstance(source, SimulatedWarm):
        source.show_passes(kubectl)
    return plan


def clean_up(cluster, source, home):
    """Stops and removes everything; gives the log lines that nobody expected (a leak is reported at the very end)."""
    if cluster.process:
        cluster.kubectl("delete", "virtualmachines", "--all", "-n", "default", check=False)
        cluster.stop()
    cluster.end_processes()
    if not isinstance(source, SimulatedOvirt):
        subprocess.run(["ip", "link", "delete", BRIDGE], check=False, stderr=subprocess.DEVNULL)
    source.stop()
    complaints = cluster.complaints()
    shutil.rmtree(home, ignore_errors=True)
    return complaints


def parse():
    parser = argparse.ArgumentParser(prog="./demo", description="Moves a VM out of vCenter (or oVirt) and boots it on this machine.")
    parser.add_argument("--tiny", action="store_true", help="a tiny guest that needs no conversion")
    parser.add_argument("--warm", action="store_true", help="the tiny guest goes on running while it is copied, until its cutover")
    parser.add_argument("--ovirt", action="store_true", help="the tiny guest comes from an oVirt engine instead of vCenter")
    parser.add_argument("--keep", action="store_true", help="leave everything running at the end")
    parser.add_argument("--vcenter", metavar="URL", help="your own vCenter: https://VCENTER/sdk")
    parser.add_argument("--user", help="with --vcenter: who logs in")
    parser.add_argument("--password-file", metavar="FILE", help="with --vcenter: where the password is")
    parser.add_argument("--thumbprint", help="with --vcenter: the SHA-256 fingerprint of its certificate")
    parser.add_argument("--vm", help="with --vcenter: the VM to move; it is shut down there")
    options = parser.parse_args()
    if not options.vcenter and (options.user or options.password_file or options.vm or options.thumbprint):
        parser.error("--user, --password-file, --thumbprint and --vm go with --vcenter")
    if sum(map(bool, (options.vcenter, options.tiny, options.warm, options.ovirt))) > 1:
        parser.error("--tiny, --warm, --ovirt and --vcenter exclude each other")
    return options


def run(options, home):
    program = pathlib.Path(os.environ.get("GANTRY_BINARY", ROOT / "build/gantry"))
    source = (Real(options) if options.vcenter else SimulatedOvirt(home) if options.ovirt else SimulatedWarm(home) if options.warm
              else Simulated(home, "tiny" if options.tiny else "debian"))
    cluster = Cluster(program, home)
    if options.keep or TERMINAL:
        cluster.port = preferred_port(cluster.port)
    keep, complaints = False, []
    try:
        title(f"A VM moves from {'oVirt' if options.ovirt else 'vCenter'} to this machine")
        source.start()
        with Task("gantry up") as task:
            cluster.start()
            task.note = f"API https://127.0.0.1:{cluster.port}"
        plan = migrate(cluster, source)
        lines = None
        if not options.vcenter:
            title("What the target VM says on its serial console")
            lines = guest_report(cluster.kubectl, source.vm)
            for line in lines:
                print(f"  {line}")
        name, verified = check(source, plan, lines)
        if lines is not None:
            print(f"  {GREEN}✓{PLAIN} the MAC addresses are the source's, and so is the data disk's checksum" + (", as it was at its power-off" if options.warm else ""))
        if options.ovirt:
            source.show_transfers()
        console = re.search(r"console (https://\S+?)[,\s]", cluster.ready + " ")
        show_next(cluster, console[1] if console else f"https://127.0.0.1:{cluster.port + 1}", name,
                  "examples/ovirt has the manifests for your engine; docs/ovirt.md explains them" if options.ovirt else "./demo --vcenter https://VCENTER/sdk")
        keep = options.keep
        if keep:
            print(f"\n  It all goes on running, from {home}. To end it: kill {cluster.process.pid}"
                  + ("" if options.vcenter else f" {source.simulator()}"))
        elif TERMINAL:
            print("\n  Enter stops everything and removes it. ", end="", flush=True)
            sys.stdin.readline()
        last_line = f"demo: VM {name} runs from its migrated disks ({verified} bytes verified)"
    except (Failed, waiting.Timeout, RuntimeError, AssertionError):
        print(f"\n{RED}What the logs say{PLAIN}\n{cluster.report(30)}", file=sys.stderr)
        raise
    finally:
        if not keep:
            complaints = clean_up(cluster, source, home)
    if complaints:
        raise Failed("the logs hold warnings that should not be there:\n" + "\n".join(complaints))
    return last_line


def preferred_port(fallback):
    """6443 when it and its neighbours are free: easier to type."""
    try:
        for port in range(6443, 6448):
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(("127.0.0.1", port))
    except OSError:
        return fallback
    return 6443


def main():
    options = parse()
    home = pathlib.Path(tempfile.mkdtemp(prefix="gantry-demo-", dir="/var/tmp"))
    try:
        print(f"\n{run(options, home)}")
    except KeyboardInterrupt:
        sys.exit("\ndemo: interrupted")
    except (Failed, AssertionError, RuntimeError, subprocess.SubprocessError) as error:
        sys.exit(f"demo: failed: {error}")


if __name__ == "__main__":
    main()
