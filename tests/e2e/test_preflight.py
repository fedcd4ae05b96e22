"""What is known before a plan runs: the guests, the account's privileges, the ports, the target's room. Nothing is copied here."""
import pytest

from harness import manifests, waiting
from harness.cluster import condition_of

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
    return new_vcenter(clusters=2, clusterHosts=1, esxi={"user": "root", "password": "esx"}, vms=[
        {"name": "plain", "disks": [disk]},
        {"name": "running", **tools, "ipAddress": "192.0.2.1", "disks": [disk], "nics": [nic]},
        {"name": "mounted", **tools, "disks": [disk], "cdrom": "[datastore1] iso/x.iso", "nics": [{**nic, "mac": "00:50:56:0d:00:02"}]},
        {"name": "btrfs", **tools, "disks": [disk], "fileSystem": "btrfs"},
        {"name": "suspended", "suspended": True, "disks": [disk]},
        {"name": "independent", "disks": [{**disk, "mode": "independent_persistent"}]},
        {"name": "vvol", "disks": [{**disk, "vvol": "rfc4122.1"}]},
        {"name": "large", "disks": [disk]}])


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
    reasons = {e["reason"] for e in kubectl.get("events") if e["involvedObject"]["name"] == name}
    assert {"ValidatingSource", "Ready"} <= reasons
    waiting.until("end of the probe's Pod", lambda: not kubectl.get("pods", namespace="default", selector="forklift.app=probe"))


GUESTS = [
    ("mounted", "VMHasMountedMedia", "Warn", "iso/x.iso"),
    ("mounted", "VMMissingGuestIPs", "Warn", "Network adapter 1"),
    ("btrfs", "GuestFileSystemNotSupported", "Critical", "/ is Btrfs"),
    ("suspended", "VMPowerStateUnsupported", "Critical", "suspended"),
    ("independent", "IndependentDiskWarning", "Warn", "[datastore1] independent/independent.vmdk"),
    ("vvol", "VMStorageNotSupported", "Critical", "[datastore1] vvol/vvol.vmdk"),
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


def test_a_target_that_is_too_small_is_said_in_bytes(kubectl, new_plan):
    text = '{"metadata": {"annotations": {"gantry.io/largest-file-bytes": "%s"}}}'
    kubectl("patch", "storageclass", "standard", "--type=merge", "-p", text % 1024)
    try:
        found = kubectl.condition("plan", new_plan("plain"), "TargetTooSmall")
        assert "the largest that it holds has 1.0\N{NO-BREAK SPACE}KiB" in found["items"][0], found
    finally:
        kubectl("patch", "storageclass", "standard", "--type=merge", "-p",
                '{"metadata": {"annotations": {"gantry.io/largest-file-bytes": null}}}')
