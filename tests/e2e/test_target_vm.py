"""What a source VM becomes: names, storage, devices; and that clients of KubeVirt and CDI can read every manifest."""
import json
import subprocess

import pytest
import yaml

from harness import manifests
from harness.cluster import condition_of
from harness.migration import Run
from harness.vcenter import ROOT, build_peer, estate

MEBIBYTE = 1 << 20


def read_strictly(objects):
    """Decodes objects with the Go types of their own projects (tests/forklift-types) and gives what was said."""
    decoder = subprocess.run([build_peer("tests/forklift-types")], input="\n".join(map(json.dumps, objects)), text=True,
                             stdout=subprocess.PIPE, check=False)
    return decoder.returncode, decoder.stdout


def test_kubevirt_can_read_every_manifest_of_the_table():
    """tests/machines: what src/plan/machine_manifest_test.c compares, decoded strictly."""
    found = []
    for path in sorted((ROOT / "tests/machines").glob("*.yaml")):
        documents = list(yaml.safe_load_all(path.read_text(encoding="utf-8")))
        found += [{**documents[1], "metadata": {**documents[1]["metadata"], "namespace": path.stem}}] if len(documents) == 2 else []
    assert len(found) >= 40 and {one["kind"] for one in found} == {"VirtualMachine"}
    code, said = read_strictly(found)
    assert code == 0, said
    assert f"{len(found)} objects, 0 faults" in said


@pytest.fixture(scope="module")
def vcenter(new_vcenter, random_disk, tmp_path_factory):
    home = tmp_path_factory.mktemp("disks")
    disks = [{"file": str(random_disk(home / "boot.raw", 3 * 2048 + 1))},
             {"file": str(random_disk(home / "data.raw", 9 * 2048, seed=2)), "datastore": "second store"}]
    return new_vcenter(**estate(
        datastores=["datastore1", "second store"], networks=["Storage Network"],
        vms=[{"name": "Web_Server", "firmware": "efi", "guestId": "rhel8_64Guest", "memoryMB": 384, "cpus": 3, "disks": disks,
              "nics": [{"network": "VM Network", "mac": "00:50:56:0E:00:01"},
                       {"network": "Storage Network", "mac": "00:50:56:0e:00:02"}]},
             {"name": "web-server_", "disks": disks[:1], "nics": [{"network": "VM Network", "mac": "00:50:56:0e:00:03"}]},
             {"name": "plain", "guestId": "rhel8_64Guest", "memoryMB": 384, "disks": disks[:1], "nics": []}]))


@pytest.fixture(scope="module")
def migrated(module_cluster, vcenter, tmp_path_factory):
    """Both VMs, migrated by one plan that uses what newer plans offer, to two storage classes with their own rules."""
    kubectl = module_cluster.kubectl
    fat = tmp_path_factory.mktemp("fat")
    kubectl.apply(
        {"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "provisioner": "gantry.io/folder", "parameters": {"path": str(fat)},
         "metadata": {"name": "fat", "annotations": {"gantry.io/filesystem-overhead": "50"}}},
        {"apiVersion": "cdi.kubevirt.io/v1beta1", "kind": "StorageProfile", "metadata": {"name": "fat"},
         "status": {"claimPropertySets": [{"accessModes": ["ReadWriteMany"], "volumeMode": "Filesystem"}]}},
        {"apiVersion": "instancetype.kubevirt.io/v1beta1", "kind": "VirtualMachineClusterPreference", "metadata": {"name": "rhel.8"},
         "spec": {"requirements": {"cpu": {"guest": 1}, "memory": {"guest": "256Mi"}}}})
    run = Run(module_cluster, vcenter, "web-server", "target")
    kubectl.apply(manifests.secret("target", vcenter.user, vcenter.password, thumbprint=vcenter.sha1),
                  manifests.provider("target", vcenter.url), manifests.bridge_network(run.bridge, bridge=run.bridge))
    kubectl.condition("provider", "target", "Ready")
    storage = manifests.storage_map("target", "target", [{"name": "datastore1"}, {"name": "second store"}])
    storage["spec"]["map"][1]["destination"] = {"storageClass": "fat"}
    kubectl.apply(storage, manifests.network_map("target", "target", [
        ({"name": "VM Network"}, "pod"), ({"name": "Storage Network"}, ("default", run.bridge))]))
    kubectl.condition("networkmap", "target", "Ready")
    kubectl.condition("storagemap", "target", "Ready")
    kubectl.apply(manifests.plan(
        "target", "target", [{"name": "Web_Server", "rootDisk": "/dev/sda"}, {"name": "web-server_"}], skipGuestConversion=True,
        useCompatibilityMode=False, targetLabels={"team": "shop"}, targetNodeSelector={"zone": "a"}, targetPowerState="off",
        volumeNameTemplate="disk{{.VolumeIndex}}", pvcNameTemplate="{{.TargetVmName}}-{{.DiskIndex}}",
        pvcNameTemplateUseGenerateName=False))
    plan = kubectl.condition("plan", "target", "Ready") and kubectl.get("plan", "target")
    run.start()
    run.finish()
    return {"run": run, "plan": plan, "machine": kubectl.get("virtualmachine", "web-server", "default")}


def test_a_name_that_kubernetes_does_not_allow_is_changed_and_said_before(cluster, kubectl, vcenter, migrated):
    condition = condition_of(migrated["plan"], "TargetNameNotValid")
    assert condition["category"] == "Warn" and "Web_Server" in str(condition["items"])
    metadata = migrated["machine"]["metadata"]
    assert metadata["annotations"]["original-name"] == "Web_Server"
    assert metadata["annotations"]["original-ID"] == vcenter.vms["Web_Server"]["id"]


def test_a_changed_name_that_is_taken_gets_a_part_of_the_id(cluster, kubectl, vcenter, migrated):
    vm = vcenter.vms["web-server_"]["id"]
    part = vm.replace("-", "")[-4:]
    other = kubectl.get("virtualmachine", f"web-server-{part}", "default")
    assert other["metadata"]["annotations"]["original-name"] == "web-server_"
    names = {one["id"]: one.get("newName") for one in kubectl.get("plan", "target")["status"]["migration"]["vms"]}
    assert names == {vcenter.vms["Web_Server"]["id"]: "web-server", vm: f"web-server-{part}"}


def test_the_machine_is_the_sources(cluster, migrated):
    spec = migrated["machine"]["spec"]
    template = spec["template"]
    domain = template["spec"]["domain"]
    assert spec["runStrategy"] == "Halted" and spec["preference"] == {"name": "rhel.8"}
    assert domain["firmware"]["bootloader"] == {"efi": {"secureBoot": False}} and domain["machine"] == {"type": "q35"}
    assert domain["firmware"]["serial"] == domain["firmware"]["uuid"]
    assert domain["cpu"]["sockets"] * domain["cpu"]["cores"] == 3 and domain["memory"] == {"guest": "384Mi"}
    assert [card["macAddress"] for card in domain["devices"]["interfaces"]] == ["00:50:56:0e:00:01", "00:50:56:0e:00:02"]
    assert [disk["disk"]["bus"] for disk in domain["devices"]["disks"]] == ["virtio", "virtio"]
    assert domain["devices"]["disks"][0]["bootOrder"] == 1
    assert template["metadata"]["labels"]["team"] == "shop" and template["spec"]["nodeSelector"] == {"zone": "a"}
    assert migrated["machine"]["metadata"]["labels"]["os.template.kubevirt.io/rhel8.1"] == "true"


def test_names_follow_the_plans_templates(cluster, kubectl, migrated):
    volumes = migrated["machine"]["spec"]["template"]["spec"]["volumes"]
    assert volumes == [{"name": f"disk{n}", "dataVolume": {"name": f"web-server-{n}"}} for n in (0, 1)]
    assert {one["metadata"]["name"] for one in kubectl.get("datavolume", namespace="default")} >= {"web-server-0", "web-server-1"}


def test_modes_and_sizes_follow_the_storage_class(cluster, kubectl, migrated):
    """The default class is a folder without a file system of its own; the other says that half is lost, and CDI has a profile."""
    plain, fat = (kubectl.get("datavolume", f"web-server-{n}", "default")["spec"]["storage"] for n in (0, 1))
    assert plain == {"storageClassName": "standard", "accessModes": ["ReadWriteOnce"], "volumeMode": "Filesystem",
                     "resources": {"requests": {"storage": "4Mi"}}}
    assert fat == {"storageClassName": "fat", "accessModes": ["ReadWriteMany"], "volumeMode": "Filesystem",
                   "resources": {"requests": {"storage": "18Mi"}}}


def test_clients_can_read_what_was_written(cluster, kubectl, migrated):
    objects = [thing for kind in ("virtualmachine", "datavolume") for thing in kubectl.get(kind, namespace="default")]
    objects += [thing for kind in ("plan", "migration") for thing in kubectl.get(kind)]
    code, said = read_strictly(objects)
    assert code == 0, said


@pytest.mark.parametrize("name, more, vm, words", [
    ("template", {"pvcNameTemplate": "{{.Nothing}}"}, {}, ".Nothing"),
    ("volume", {"volumeNameTemplate": "same"}, {}, "each name must be another one"),
    ("root", {}, {"rootDisk": "/dev/sdz"}, "/dev/sdz"),
    ("bus", {"diskBus": "ide"}, {}, "virtio, sata or scsi"),
    ("label", {}, {"targetName": "Not A Label"}, "Not A Label"),
])
def test_a_plan_that_names_nonsense_is_not_ready(cluster, kubectl, migrated, name, more, vm, words):
    plan = manifests.plan(f"bad-{name}", "target", [{"name": "Web_Server", **vm}], network="target", storage="target", target="elsewhere", **more)
    kubectl.apply(plan)
    condition = kubectl.condition("plan", f"bad-{name}", "NotValid")
    assert condition["category"] == "Critical" and words in str(condition["items"]), condition


def test_an_older_kubevirt_gets_what_it_knows(cluster, kubectl, migrated):
    """Its definition has no field for preferences: the target is without one, and the VM's status says so."""
    definition = "virtualmachines.kubevirt.io"
    any_value = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    path = "/spec/versions/0/schema/openAPIV3Schema/properties/spec"

    def describe(schema):
        kubectl("patch", "crd", definition, "--type=json", "-p", json.dumps([{"op": "replace", "path": path, "value": schema}]))

    describe({"type": "object", "properties": {"runStrategy": {"type": "string"}, "template": any_value}})
    try:
        kubectl.apply(manifests.plan("older", "target", [{"name": "plain"}], network="target", storage="target", skipGuestConversion=True))
        kubectl.condition("plan", "older", "Ready")
        status = Run(cluster, None, "plain", "older").start().finish()
    finally:
        describe(any_value)
    assert "spec.preference" in condition_of({"status": status}, "TargetFieldsLeftOut")["message"]
    assert "preference" not in kubectl.get("virtualmachine", "plain", "default")["spec"]
