"""What is known before a plan runs: the guests, the account's privileges, the ports, the target's room. Nothing is copied here."""
import os
import re
import tempfile

import pytest

from harness import manifests, waiting
from harness.cluster import KubectlError, condition_of
from harness.vcenter import estate

DISK = 1 << 20
# Table 2.4 of the guide, as vSphere names them.
GUIDE_ROLE = ["VirtualMachine.Interact.PowerOff", "VirtualMachine.Interact.PowerOn", "VirtualMachine.State.CreateSnapshot",
              "VirtualMachine.State.RemoveSnapshot"] + [f"VirtualMachine.Provisioning.{name}" for name in (
                  "DiskRandomAccess", "FileRandomAccess", "DiskRandomRead", "GetVmFiles", "PutVmFiles", "CloneTemplate", "Clone",
                  "CreateTemplateFromVM", "Customize", "DeployTemplate", "MarkAsTemplate", "MarkAsVM", "ModifyCustSpecs",
                  "PromoteDisks", "ReadCustSpecs")]
DATASTORE = ["Datastore.Browse", "Datastore.FileManagement"]


@pytest.fixture(scope="module")
def vcenter(new_vcenter, tmp_path_factory):
    (tmp_path_factory.getbasetemp() / "preflight.raw").write_bytes(bytes(DISK))
    disk = {"file": str(tmp_path_factory.getbasetemp() / "preflight.raw")}
    nic = {"network": "VM Network", "mac": "00:50:56:0d:00:01"}
    tools = {"powerOn": True, "hostName": "guest"}
    return new_vcenter(**estate(esxi={"user": "root", "password": "esx"}, vms=[
        {"name": "plain", "disks": [disk]},
        {"name": "running", **tools, "ipAddress": "192.0.2.1", "disks": [disk], "nics": [nic]},
        {"name": "mounted", **tools, "disks": [disk], "cdrom": "[datastore1] iso/x.iso", "nics": [{**nic, "mac": "00:50:56:0d:00:02"}]},
        {"name": "btrfs", **tools, "disks": [disk], "fileSystem": "btrfs"},
        {"name": "suspended", "suspended": True, "disks": [disk]},
        {"name": "independent", "disks": [{**disk, "mode": "independent_persistent"}]},
        {"name": "vvol", "disks": [{**disk, "vvol": "rfc4122.1"}]},
        {"name": "large", "disks": [disk]}]))


@pytest.fixture(scope="module")
def maps(module_cluster, vcenter):
    kubectl = module_cluster.kubectl
    kubectl.apply(manifests.secret("vc", vcenter.user, vcenter.password, cacert=vcenter.ca), manifests.provider("vc", vcenter.url))
    kubectl.condition("provider", "vc", "Ready")
    kubectl.apply(manifests.network_map("vc", "vc", [({"name": "VM Network"}, "pod")]),
                  manifests.storage_map("vc", "vc", [{"name": "datastore1"}]))
    kubectl.condition("networkmap", "vc", "Ready")
    kubectl.condition("storagemap", "vc", "Ready")


@pytest.fixture
def new_plan(cluster, maps):
    """A function that applies a plan of one VM; all are deleted with the test."""
    made = []

    def apply(vm, **more):
        made.append(f"of-{vm}")
        cluster.kubectl.apply(manifests.plan(made[-1], "vc", [{"name": vm}], "vc", "vc", **more))
        return made[-1]

    yield apply
    cluster.kubectl("delete", "plan", "-n", manifests.NAMESPACE, *made)


def test_a_plan_that_is_ready_has_been_probed_and_leaves_no_pod(cluster, kubectl, new_plan):
    name = new_plan("plain", skipGuestConversion=True)
    plan = waiting.until("Ready", lambda: (lambda plan: plan if condition_of(plan, "Ready") else None)(kubectl.get("plan", name)))
    assert not condition_of(plan, "SourceNotProbed") and not condition_of(plan, "ValidatingSource")
    waiting.until("both Events", lambda: {"ValidatingSource", "Ready"} <= {
        event["reason"] for event in kubectl.get("events") if event["involvedObject"]["name"] == name})
    waiting.until("end of the probe's Pod", lambda: not kubectl.get("pods", namespace="default", selector="forklift.app=probe"))


GUESTS = [
    ("mounted", "VMHasMountedMedia", "Warn", "iso/x.iso"),
    ("mounted", "VMMissingGuestIPs", "Warn", "Network adapter 1"),
    ("btrfs", "GuestFileSystemNotSupported", "Critical", "/ is Btrfs"),
    ("suspended", "VMPowerStateUnsupported", "Critical", "suspended"),
    ("independent", "IndependentDiskWarning", "Warn", "[datastore1] independent/independent.vmdk"),
    ("vvol", "VMStorageNotSupported", "Warn", "[datastore1] vvol/vvol.vmdk"),
]


def test_each_guest_s_problems_are_said_by_the_devices_names(kubectl, new_plan):
    plans = {vm: new_plan(vm) for vm in dict.fromkeys(row[0] for row in GUESTS)}
    for vm, kind, category, text in GUESTS:
        found = kubectl.condition("plan", plans[vm], kind)
        assert found["category"] == category and text in " ".join(found["items"]), found
        if category == "Critical":
            assert not condition_of(kubectl.get("plan", plans[vm]), "Ready")


def test_the_guide_s_own_role_is_told_what_it_allows(kubectl, vcenter, new_plan):
    vcenter.role(*GUIDE_ROLE)
    try:
        found = kubectl.condition("plan", new_plan("running"), "InsufficientPrivileges")
        assert found["reason"] == "PrivilegesNotGranted" and len(found["items"]) == 1
        assert "Datastore.Browse, Datastore.FileManagement" in found["items"][0] and "VDDK" in found["items"][0]
        assert "PowerOff" not in found["items"][0]
        vcenter.role(*GUIDE_ROLE, *DATASTORE)
        kubectl.condition("plan", "of-running", "Ready")
    finally:
        vcenter.all_privileges()


def test_a_missing_privilege_is_named(kubectl, vcenter, new_plan):
    vcenter.role(*DATASTORE, "VirtualMachine.Interact.PowerOn")
    try:
        found = kubectl.condition("plan", new_plan("btrfs", skipGuestConversion=True), "InsufficientPrivileges")
        assert found["items"][0].endswith("VirtualMachine.Interact.PowerOff to shut it down"), found
    finally:
        vcenter.all_privileges()


def test_a_host_out_of_reach_is_found_by_the_probe(kubectl, vcenter, new_plan):
    """The Host is Ready, and then its address goes: the plan says so before anything is copied."""
    esxi = vcenter.hosts["DC0_H0"]
    kubectl.apply({"apiVersion": manifests.API, "kind": "Host", "metadata": {"name": "esxi", "namespace": manifests.NAMESPACE},
                   "spec": {"id": esxi["id"], "ipAddress": esxi["address"],
                            "provider": {"name": "vc", "namespace": manifests.NAMESPACE}}})
    kubectl.condition("host", "esxi", "Ready")
    vcenter.fault("unplug-hosts", count=-1)
    try:
        found = kubectl.condition("plan", new_plan("large", skipGuestConversion=True), "SourceNotReachable")
        assert found["reason"] == "ConnectionFailed" and f"{esxi['address']}:443" in found["items"][0]
        assert not condition_of(kubectl.get("plan", "of-large"), "Ready")
    finally:
        vcenter.lift()
        kubectl("delete", "host", "esxi", "-n", manifests.NAMESPACE)


def largest_file(folder):
    """What ftruncate(2) takes there."""
    least, most = 0, (1 << 63) - 1
    with tempfile.TemporaryFile(dir=folder) as file:
        while least < most:
            middle = most - (most - least) // 2
            try:
                os.ftruncate(file.fileno(), middle)
                least = middle
            except OSError:
                most = middle - 1
    return least


def test_a_folder_s_class_says_how_large_a_file_it_takes(kubectl):
    said = waiting.until("largest file", lambda: kubectl.get("storageclass", "standard")["metadata"]["annotations"].get(
        "gantry.io/largest-file-bytes"))
    assert int(said) == largest_file(kubectl.get("storageclass", "standard")["parameters"]["path"])


def test_a_quota_that_is_too_small_is_said(kubectl, new_plan):
    kubectl.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "small"}},
                  {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "disks", "namespace": "small"},
                   "spec": {"hard": {"requests.storage": "512Ki", "persistentvolumeclaims": "10"}}})
    name = new_plan("plain", target="small", skipGuestConversion=True)
    found = kubectl.condition("plan", name, "TargetTooSmall")
    assert found["reason"] == "QuotaExceeded" and len(found["items"]) == 1
    assert "ResourceQuota disks: requests.storage is 512Ki, of which 0 is used" in found["items"][0], found
    kubectl("patch", "quota", "disks", "-n", "small", "--type=merge", "-p", '{"spec": {"hard": {"requests.storage": "1Gi"}}}')
    kubectl.condition("plan", name, "Ready")


def claim(name, size, namespace):
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": name, "namespace": namespace},
            "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": size}}}}


def test_a_quota_holds_for_whoever_writes(kubectl):
    kubectl.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "held"}},
                  {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "held", "namespace": "held"},
                   "spec": {"hard": {"requests.storage": "3Mi", "count/leases.coordination.k8s.io": 0, "pods": "0",
                                     "other.storageclass.storage.k8s.io/requests.storage": "1Mi"}}})
    kubectl.apply(claim("first", "2Mi", "held"))
    for refused, words in (
            (claim("second", "2Mi", "held"), "exceeded quota: held, requested: requests.storage=2097152, used: requests.storage=2097152, limited: requests.storage=3Mi"),
            ({"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": "none", "namespace": "held"}, "spec": {}},
             "limited: count/leases.coordination.k8s.io=0"),
            ({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "none", "namespace": "held"},
              "spec": {"containers": [{"name": "main", "image": "gantry"}]}}, "limited: pods=0")):
        with pytest.raises(KubectlError, match=re.escape(words)):
            kubectl.apply(refused)
    kubectl.apply({"apiVersion": "cdi.kubevirt.io/v1beta1", "kind": "DataVolume", "metadata": {"name": "waits", "namespace": "held"},
                   "spec": {"source": {"blank": {}}, "storage": {"resources": {"requests": {"storage": "2Mi"}}}}})
    said = waiting.until("a refused DataVolume", lambda: [one for one in kubectl.get("datavolume", "waits", "held").get("status", {}).get(
        "conditions", []) if one["reason"] == "ErrExceededQuota"])
    assert "exceeded quota: held" in said[0]["message"]
    kubectl("delete", "pvc", "first", "-n", "held")
    waiting.until("room for it", lambda: kubectl.get("datavolume", "waits", "held")["status"]["phase"] == "Succeeded")


def test_vms_networks_and_datastores_may_be_named_by_path(kubectl, maps):
    kubectl.apply(manifests.network_map("paths", "vc", [({"name": "/DC0/network/VM Network"}, "pod")]),
                  manifests.storage_map("paths", "vc", [{"name": "/DC0/datastore/datastore1"}]),
                  manifests.plan("paths", "vc", [{"name": "/DC0/vm/running"}]))
    kubectl.condition("plan", "paths", "Ready")
    assert [ref["name"] for ref in kubectl.get("networkmap", "paths")["status"]["references"]] == ["VM Network"]
    kubectl.apply(manifests.plan("paths", "vc", [{"name": "/DC0/vm/nobody"}]))
    assert kubectl.condition("plan", "paths", "VMNotFound")["items"] == ["name:'/DC0/vm/nobody'"]
    kubectl("delete", "plan", "paths", "-n", manifests.NAMESPACE)


def test_a_mac_that_is_in_use_is_named_with_its_owner(kubectl, new_plan):
    kubectl.apply({"apiVersion": "kubevirt.io/v1", "kind": "VirtualMachine", "metadata": {"name": "other", "namespace": "default"},
                   "spec": {"runStrategy": "Halted", "template": {"spec": {"domain": {"devices": {"interfaces": [
                       {"name": "net-0", "masquerade": {}, "macAddress": "00:50:56:0D:00:01"}]}},
                       "networks": [{"name": "net-0", "pod": {}}]}}}})
    name = new_plan("running")
    found = kubectl.condition("plan", name, "MacConflicts")
    assert "00:50:56:0d:00:01 is also in VirtualMachine default/other" in found["items"][0]
    kubectl("delete", "vm", "other", "-n", "default")
    kubectl.condition("plan", name, "Ready")


def test_an_account_that_lacks_privileges_is_said_of_its_provider(kubectl, vcenter):
    vcenter.role(*DATASTORE, "VirtualMachine.Interact.PowerOn")
    try:
        kubectl.apply(manifests.provider("weak", vcenter.url, "vc"))
        found = kubectl.condition("provider", "weak", "InsufficientPrivileges")
        assert found["category"] == "Warn" and found["reason"] == "PrivilegesNotGranted"
        assert "VirtualMachine.Interact.PowerOff to shut VMs down" in found["items"]
        assert not any("Datastore" in item for item in found["items"])
        kubectl.condition("provider", "weak", "Ready")
    finally:
        vcenter.all_privileges()
        kubectl("delete", "provider", "weak", "-n", manifests.NAMESPACE)


def test_a_target_that_is_too_small_is_said_in_bytes(kubectl, new_plan):
    text = '{"metadata": {"annotations": {"gantry.io/largest-file-bytes": "%s"}}}'
    kubectl("patch", "storageclass", "standard", "--type=merge", "-p", text % 1024)
    try:
        found = kubectl.condition("plan", new_plan("plain"), "TargetTooSmall")
        assert "the largest that it holds has 1.0\N{NO-BREAK SPACE}KiB" in found["items"][0], found
    finally:
        kubectl("patch", "storageclass", "standard", "--type=merge", "-p",
                '{"metadata": {"annotations": {"gantry.io/largest-file-bytes": null}}}')
