"""A VirtualMachine boots from a DataVolume, prints on its launcher's log, lives through a kill of `gantry up`, and stops."""
import json
import shutil

from harness import waiting

MAC = "00:50:56:0b:00:77"


def disk(name):
    return {"apiVersion": "cdi.kubevirt.io/v1beta1", "kind": "DataVolume", "metadata": {"name": name, "namespace": "default"},
            "spec": {"source": {"blank": {}}, "storage": {"resources": {"requests": {"storage": "32Mi"}}}}}


def machine(name):
    return {"apiVersion": "kubevirt.io/v1", "kind": "VirtualMachine", "metadata": {"name": name, "namespace": "default"},
            "spec": {"runStrategy": "Always", "template": {"spec": {
                "domain": {"memory": {"guest": "128Mi"}, "devices": {
                    "disks": [{"name": "boot", "disk": {"bus": "virtio"}}],
                    "interfaces": [{"name": "net", "masquerade": {}, "macAddress": MAC, "model": "virtio"}]}},
                "networks": [{"name": "net", "pod": {}}], "volumes": [{"name": "boot", "dataVolume": {"name": name}}]}}}}


def console(kubectl):
    return kubectl("logs", "-l", "kubevirt.io=virt-launcher", "--tail=-1", check=False).stdout


def test_a_machine_lives_through_a_kill_and_is_stopped(own_cluster, tiny_guest, tmp_path):
    kubectl = own_cluster.kubectl
    kubectl.apply(disk("tiny"))
    waiting.until("the disk", lambda: kubectl.get("datavolume", "tiny", "default").get("status", {}).get("phase") == "Succeeded")
    claim = kubectl.get("pvc", "tiny", "default")
    volume = json.loads(kubectl("get", "pv", claim["spec"]["volumeName"], "-o", "json"))
    shutil.copyfile(tiny_guest(tmp_path / "tiny.raw"), f"{volume['spec']['hostPath']['path']}/disk.img")
    kubectl.apply(machine("tiny"))
    waiting.until("the guest's greeting", lambda: "GUEST-DONE" in console(kubectl), waiting.LONG)
    assert f"NIC eth0 {MAC}" in console(kubectl)

    before = own_cluster.processes()
    own_cluster.kill()
    own_cluster.start()
    waiting.until("the machine again", lambda: kubectl.get("vmi", "tiny", "default")["status"]["phase"] == "Running")
    assert own_cluster.processes() == before
    assert console(kubectl).count("GUEST-UP") == 1

    kubectl("patch", "vm", "tiny", "-n", "default", "--type=merge", "-p", json.dumps({"spec": {"runStrategy": "Halted"}}))
    waiting.until("its end", lambda: kubectl.get("vmi", "tiny", "default") is None, waiting.LONG)
    kubectl("delete", "vm", "tiny", "-n", "default")
    kubectl("delete", "datavolume", "tiny", "-n", "default")
    waiting.until("the end of the processes", lambda: not own_cluster.processes())
