"""A whole cold migration, from the source's disks to what the target VM says."""
import collections
import hashlib
import json
import re
import subprocess

from . import manifests, waiting
from .cluster import condition_of

MEBIBYTE = 1 << 20


def sha256_padded(path, size):
    """The SHA-256 of a file followed by zeros up to size: a target disk is as long as its claim, not as its source."""
    total = hashlib.sha256()
    with open(path, "rb") as disk:
        while piece := disk.read(MEBIBYTE):
            total.update(piece)
            size -= len(piece)
    assert size >= 0, "the target is smaller than the source"
    while size:
        piece = bytes(min(size, MEBIBYTE))
        total.update(piece)
        size -= len(piece)
    return total.hexdigest()


def sha256(path):
    return sha256_padded(path, path.stat().st_size)


class Run:
    """One plan of one VM of a vCenter, all named alike."""

    def __init__(self, cluster, vcenter, vm, name, namespace="default", convert=False):
        self.cluster, self.vcenter, self.vm, self.name, self.namespace = cluster, vcenter, vm, name, namespace
        self.convert = convert
        self.bridge = f"gt{cluster.port}"

    @property
    def kubectl(self):
        return self.cluster.kubectl

    def prepare(self):
        """Secret, Provider, maps and Plan; returns when the plan is Ready."""
        self.kubectl.apply(
            manifests.secret(self.name, self.vcenter.user, self.vcenter.password, thumbprint=self.vcenter.sha1),
            manifests.provider(self.name, self.vcenter.url),
            manifests.bridge_network(self.bridge, bridge=self.bridge))
        self.kubectl.condition("provider", self.name, "Ready")
        self.kubectl.apply(
            manifests.network_map(self.name, self.name, [({"name": "VM Network"}, "pod")] + [
                ({"name": network}, ("default", self.bridge)) for network in self.vcenter.networks if network == "Storage Network"]),
            manifests.storage_map(self.name, self.name, [{"name": name} for name in self.vcenter.datastores]))
        self.kubectl.condition("networkmap", self.name, "Ready")
        self.kubectl.condition("storagemap", self.name, "Ready")
        self.kubectl.apply(self.plan())
        self.kubectl.condition("plan", self.name, "Ready")
        return self

    def plan(self, **more):
        if not self.convert:
            more = {"skipGuestConversion": True, "useCompatibilityMode": False, **more}
        return manifests.plan(self.name, self.name, [{"name": self.vm}], target=self.namespace, **more)

    def start(self):
        self.kubectl.apply(manifests.migration(self.name, self.name))
        return self

    def ended(self):
        """How the migration has ended, or None."""
        migration = self.kubectl.get("migration", self.name)
        return next((state for state in ("Succeeded", "Failed", "Canceled") if condition_of(migration, state)), None)

    def finish(self, wanted="Succeeded", seconds=waiting.LONG):
        """Waits for the end and gives the VM's status."""
        state = waiting.until(f"end of migration {self.name}", self.ended, seconds, every=0.5)
        assert state == wanted, f"the migration has {state}: {json.dumps(self.vm_status().get('error'))}"
        return self.vm_status()

    def vm_status(self):
        vms = self.kubectl.get("plan", self.name)["status"].get("migration", {}).get("vms", [])
        return vms[0] if vms else {}

    def step(self, name):
        for step in self.vm_status().get("pipeline", []):
            if step["name"] == name:
                return step
        return None

    def journal(self, vm_id):
        """How often the journal of the source says which change of this VM."""
        journals = self.kubectl.get("configmap", selector=f"gantry.io/journal=source,gantry.io/vm={vm_id}")
        return collections.Counter(json.loads(text)["change"] for one in journals for text in one["data"].values())

    # ---- the target

    def machine(self):
        return self.kubectl.get("virtualmachine", self.vm, self.namespace)

    def console(self):
        """What the target VM has printed on its serial console."""
        return self.cluster.logs_of(self.namespace, f"vm.kubevirt.io/name={self.vm}")

    def booted(self, seconds=waiting.LONG):
        """Waits until the guest has said everything and gives {"macs": […], "sums": […]}."""
        text = waiting.until(f"GUEST-DONE on the console of {self.vm}",
                             lambda: (lambda said: said if "GUEST-DONE" in said else None)(self.console()), seconds)
        return {"macs": re.findall(r"^NIC \S+ (\S+)", text, re.M), "sums": re.findall(r"^SHA256 \S+ (\S+)", text, re.M)}

    def volume(self, claim):
        """The directory on this machine of a claim's volume."""
        claim = self.kubectl.get("pvc", claim, self.namespace)
        volume = self.kubectl.get("pv", claim["spec"]["volumeName"], self.namespace)
        return volume["spec"]["hostPath"]["path"]

    def target_disks(self):
        """The image files of the VM's disks, in the VM's order."""
        volumes = self.machine()["spec"]["template"]["spec"]["volumes"]
        claims = [volume.get("dataVolume", volume.get("persistentVolumeClaim")) for volume in volumes]
        return [f"{self.volume(claim.get('name') or claim['claimName'])}/disk.img" for claim in claims if claim]

    def claims(self, selector):
        return self.kubectl.get("pvc", namespace=self.namespace, selector=selector)

    def stop_machine(self):
        """Stops the target VM, so that nothing writes to its disks any more, and takes the bridge away that it was on."""
        self.kubectl("patch", "virtualmachine", self.vm, "-n", self.namespace, "--type=merge", "-p",
                     '{"spec": {"runStrategy": "Halted", "running": null}}')
        waiting.until("end of the VirtualMachineInstance",
                      lambda: self.kubectl.get("virtualmachineinstance", self.vm, self.namespace) is None)
        subprocess.run(["ip", "link", "delete", self.bridge], check=False, stderr=subprocess.DEVNULL)
