"""Each thing that a user can get wrong has one clear error that names it, and changes nothing."""
import json
import os
import time

import pytest

from harness import manifests
from harness.cluster import KubectlError, condition_of, free_ports
from harness.migration import Run
from harness.vcenter import estate

MEBIBYTE = 1 << 20
REQUEUE = 4  # seconds in which a controller that tries again would have tried again


@pytest.fixture(scope="module")
def vcenter(new_vcenter, random_disk, tmp_path_factory):
    home = tmp_path_factory.mktemp("disks")
    disk = str(random_disk(home / "disk.raw", 9 * 2048 + 1))
    huge = home / "huge.raw"
    huge.touch()
    os.truncate(huge, 1 << 43)
    cards = [{"network": "VM Network", "mac": "00:50:56:0c:00:01"}]
    return new_vcenter(**estate(
        datastores=["datastore1", "unmapped store"], networks=["Unmapped Network"],
        vms=[{"name": "plain", "disks": [{"file": disk}], "nics": cards},
             {"name": "taken", "disks": [{"file": disk}], "nics": cards},
             {"name": "elsewhere", "disks": [{"file": disk, "datastore": "unmapped store"}], "nics": cards},
             {"name": "wired", "disks": [{"file": disk}], "nics": cards + [{"network": "Unmapped Network", "mac": "00:50:56:0c:00:02"}]},
             {"name": "huge", "disks": [{"file": str(huge)}], "nics": cards},
             {"name": "liar", "disks": [{"file": disk, "claimSectors": 12345}], "nics": cards},
             {"name": "sparse", "disks": [{"file": disk, "claimExtent": 'RW 18433 SPARSE "sparse-s001.vmdk"'}], "nics": cards}]))


@pytest.fixture(scope="module")
def source(module_cluster, vcenter):
    """A Ready provider and maps for "VM Network" and "datastore1"; the name of all of them."""
    kubectl = module_cluster.kubectl
    kubectl.apply(manifests.secret("good", vcenter.user, vcenter.password, thumbprint=vcenter.sha1),
                  manifests.provider("good", vcenter.url))
    kubectl.condition("provider", "good", "Ready")
    kubectl.apply(manifests.network_map("good", "good", [({"name": "VM Network"}, "pod")]),
                  manifests.storage_map("good", "good", [{"name": "datastore1"}]))
    kubectl.condition("networkmap", "good", "Ready")
    kubectl.condition("storagemap", "good", "Ready")
    return "good"


def says(condition, *words):
    text = condition.get("message", "") + " ".join(map(str, condition.get("items", [])))
    for word in words:
        assert word in text, f"{word!r} is not in {condition}"


# ---- the provider -------------------------------------------------------------------------------------------------


def failing_provider(kubectl, name, url, condition, **secret):
    kubectl.apply(manifests.secret(name, **secret), manifests.provider(name, url))
    found = kubectl.condition("provider", name, condition)
    assert condition_of(kubectl.get("provider", name), "Ready") is None
    return found


def test_a_wrong_password_is_tried_once(cluster, kubectl, new_vcenter):
    cluster.allow("refuses the user .* it was tried once and is not tried again")
    guarded = new_vcenter()
    found = failing_provider(kubectl, "wrong-password", guarded.url, "ConnectionAuthFailed", user=guarded.user, password="guess",
                             thumbprint=guarded.sha1)
    says(found, "password")
    kubectl("annotate", "provider", "wrong-password", "-n", "openshift-mtv", "looked-at=again")
    time.sleep(REQUEUE)
    logins = guarded.log()["logins"]
    assert [login["ok"] for login in logins] == [False], "an account is locked by tries"
    kubectl.apply(manifests.secret("wrong-password", guarded.user, guarded.password, thumbprint=guarded.sha1))
    kubectl.condition("provider", "wrong-password", "Ready")
    kubectl("delete", "provider", "wrong-password", "-n", "openshift-mtv")


def test_a_wrong_fingerprint_stops_before_the_password_is_sent(cluster, kubectl, new_vcenter):
    cluster.allow("CertificateNotTrusted|fingerprint|certificate")
    guarded = new_vcenter()
    wrong = "00:" * 19 + "00"
    found = failing_provider(kubectl, "wrong-fingerprint", guarded.url, "ConnectionTestFailed", user=guarded.user,
                             password=guarded.password, thumbprint=wrong)
    says(found, "fingerprint", guarded.sha1)
    assert guarded.log()["logins"] == []
    kubectl("delete", "provider", "wrong-fingerprint", "-n", "openshift-mtv")


def test_an_untrusted_certificate_without_fingerprint_is_refused(cluster, kubectl, vcenter):
    cluster.allow("CertificateNotTrusted|certificate")
    found = failing_provider(kubectl, "untrusted", vcenter.url, "ConnectionTestFailed", user=vcenter.user, password=vcenter.password)
    says(found, "certificate")
    kubectl("delete", "provider", "untrusted", "-n", "openshift-mtv")


def test_an_unreachable_vcenter_is_named(cluster, kubectl):
    cluster.allow("ConnectionFailed|[Rr]efused|reach|connect")
    port = free_ports(1)
    found = failing_provider(kubectl, "unreachable", f"https://127.0.0.1:{port}/sdk", "ConnectionTestFailed", user="u", password="p")
    says(found, f"127.0.0.1:{port}")
    kubectl("delete", "provider", "unreachable", "-n", "openshift-mtv")


def test_a_secret_without_password_is_named(cluster, kubectl, vcenter):
    kubectl.apply(manifests.provider("no-secret", vcenter.url))
    says(kubectl.condition("provider", "no-secret", "SecretNotValid"), "no-secret")
    kubectl("delete", "provider", "no-secret", "-n", "openshift-mtv")


# ---- the maps -----------------------------------------------------------------------------------------------------


def test_a_network_that_does_not_exist_is_named(kubectl, source):
    kubectl.apply(manifests.network_map("no-network", source, [({"name": "Nowhere"}, "pod")]))
    says(kubectl.condition("networkmap", "no-network", "SourceNetworkNotValid"), "Nowhere")


def test_a_network_attachment_definition_that_does_not_exist_is_named(kubectl, source):
    kubectl.apply(manifests.network_map("no-definition", source, [({"name": "VM Network"}, ("default", "absent"))]))
    says(kubectl.condition("networkmap", "no-definition", "DestinationNetworkNotValid"), "default/absent")


def test_a_datastore_that_does_not_exist_is_named(kubectl, source):
    kubectl.apply(manifests.storage_map("no-datastore", source, [{"id": "datastore-99999"}]))
    says(kubectl.condition("storagemap", "no-datastore", "SourceStorageNotValid"), "datastore-99999")


def test_a_storage_class_that_does_not_exist_is_named(kubectl, source):
    kubectl.apply(manifests.storage_map("no-class", source, [{"name": "datastore1"}], storage_class="gold"))
    says(kubectl.condition("storagemap", "no-class", "DestinationStorageNotValid"), "gold")


# ---- the plan -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name, vms, condition, word", [
    ("absent", [{"name": "nobody"}], "VMNotFound", "nobody"),
    ("absent-id", [{"id": "vm-99999"}], "VMNotFound", "vm-99999"),
    ("twice", [{"name": "plain"}, {"name": "plain"}], "DuplicateVM", "plain"),
    ("no-ref", [{}], "VMRefNotValid", ""),
    ("unmapped-network", [{"name": "wired"}], "VMNetworksNotMapped", "wired"),
    ("unmapped-datastore", [{"name": "elsewhere"}], "VMStorageNotMapped", "elsewhere"),
])
def test_a_plan_names_the_vm_that_cannot_go(kubectl, source, name, vms, condition, word):
    kubectl.apply(manifests.plan(name, source, vms, network=source, storage=source))
    says(kubectl.condition("plan", name, condition), word)
    assert condition_of(kubectl.get("plan", name), "Ready") is None


def test_a_target_name_that_is_taken_is_named(kubectl, source):
    kubectl.apply({"apiVersion": "kubevirt.io/v1", "kind": "VirtualMachine", "metadata": {"name": "taken", "namespace": "default"},
                   "spec": {"runStrategy": "Halted", "template": {"spec": {"domain": {"devices": {}}}}}})
    kubectl.apply(manifests.plan("taken", source, [{"name": "taken"}], network=source, storage=source))
    says(kubectl.condition("plan", "taken", "VMAlreadyExists"), "taken")


def test_a_target_that_is_too_small_is_found_before_anything_is_copied(kubectl, source, vcenter):
    kubectl.apply(manifests.plan("huge", source, [{"name": "huge"}], network=source, storage=source))

    says(kubectl.condition("plan", "huge", "TargetTooSmall"), "storage class", "standard", "8.0")
    assert condition_of(kubectl.get("plan", "huge"), "Ready") is None
    assert kubectl.get("datavolume", namespace="default") == []
    assert vcenter.reads("huge", 0)["bytes"] == 0


def test_a_missing_map_is_named(kubectl, source):
    kubectl.apply(manifests.plan("no-map", source, [{"name": "plain"}], network="nothing", storage=source))
    says(kubectl.condition("plan", "no-map", "NetworkMapRefNotValid"), "nothing")


# ---- manifests that are not what they should be --------------------------------------------------------------------


@pytest.mark.parametrize("manifest, field", [
    (manifests.plan("typed", "good", [{"name": "plain"}], warm="yes"), "spec.warm"),
    (manifests.plan("typed", "good", "plain"), "spec.vms"),
    ({**manifests.provider("typed", "https://x/sdk"), "spec": {"type": "vmware", "url": "https://x/sdk", "secret": {}}}, "spec.type"),
    (manifests.network_map("typed", "good", [({"name": "a"}, "pod")]) | {"spec": {
        "map": [{"source": {"name": "a"}, "destination": {"type": "bridge"}}], "provider": manifests.pair("good")}},
     "spec.map[0].destination.type"),
    (manifests.storage_map("typed", "good", [{"name": "a"}]) | {"spec": {
        "map": [{"source": {"name": "a"}, "destination": {"storageClass": "standard", "accessMode": "ReadWriteTwice"}}],
        "provider": manifests.pair("good")}}, "spec.map[0].destination.accessMode"),
])
def test_a_manifest_with_a_wrong_type_or_value_is_rejected_with_its_path(kubectl, manifest, field):
    with pytest.raises(KubectlError) as caught:
        kubectl("apply", "--validate=false", "-f", "-", stdin=json.dumps(manifest))
    assert field in caught.value.stderr
    assert kubectl.get(manifest["kind"].lower(), "typed") is None


def test_a_migration_of_a_plan_that_does_not_exist_says_so(kubectl, source):
    kubectl.apply(manifests.migration("lost", "no-such-plan"))
    says(kubectl.condition("migration", "lost", "PlanNotValid"), "no-such-plan")


# ---- disks --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("vm, words", [("liar", ("liar.vmdk", str(12345 * 512))), ("sparse", ("sparse-s001.vmdk", "no such file"))])
def test_a_descriptor_that_cannot_be_true_fails_the_vm(cluster, kubectl, source, vcenter, vm, words):
    cluster.allow("[Dd]escriptor|DiskDescriptorInvalid|DiskFormatUnsupported|FAILED|failed|Failed")
    run = Run(cluster, vcenter, vm, vm)
    kubectl.apply(manifests.plan(vm, source, [{"name": vm}], network=source, storage=source, skipGuestConversion=True))
    kubectl.condition("plan", vm, "Ready")
    status = run.start().finish("Failed")
    reasons = " ".join(status["error"]["reasons"])
    for word in words:
        assert word in reasons, f"{word!r} is not in {reasons!r}"
    assert run.machine() is None
    assert vcenter.reads(vm, 0)["bytes"] == 0
