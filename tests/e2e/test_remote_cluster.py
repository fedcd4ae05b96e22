"""A migration whose target is another cluster: everything of it is made there, with a service account's token."""
import base64
import hashlib
import ssl

import pytest

from harness import manifests, waiting
from harness.cluster import Cluster
from harness.migration import Run

MEBIBYTE = 1 << 20


@pytest.fixture(scope="module")
def far(gantry, tmp_path_factory):
    cluster = Cluster(gantry, tmp_path_factory.mktemp("far"), "--bare").start()
    yield cluster
    code, complaints = cluster.stop(), cluster.complaints()
    cluster.end_processes()
    assert code == 0 and not complaints, complaints


@pytest.fixture(scope="module")
def access(far):
    """URL, authority, and the token of an account that may do everything, as an administrator of that cluster makes it."""
    kubectl = far.kubectl
    kubectl("create", "serviceaccount", "gantry", "-n", "default")
    kubectl("create", "clusterrolebinding", "gantry-far", "--clusterrole=cluster-admin", "--serviceaccount=default:gantry")
    kubectl.apply({"apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/service-account-token", "metadata": {
        "name": "gantry", "namespace": "default", "annotations": {"kubernetes.io/service-account.name": "gantry"}}})
    data = waiting.until("token", lambda: (kubectl.get("secret", "gantry", "default") or {}).get("data", {}).get("token")
                         and kubectl.get("secret", "gantry", "default")["data"])
    return f"https://127.0.0.1:{far.port}", base64.b64decode(data["ca.crt"]).decode(), base64.b64decode(data["token"]).decode()


def far_provider(name, url, **secret):
    return ({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": manifests.NAMESPACE}, "stringData": secret},
            {**manifests.provider(name, url), "spec": {"type": "openshift", "url": url, "secret": {"name": name, "namespace": manifests.NAMESPACE}}})


def to_far(manifest):
    manifest["spec"]["provider"]["destination"]["name"] = "far"
    return manifest


def test_its_certificate_may_be_pinned(cluster, kubectl, far, access):
    url, _, token = access
    pin = hashlib.sha256(ssl.PEM_cert_to_DER_cert(ssl.get_server_certificate(("127.0.0.1", far.port)))).hexdigest()
    cluster.allow("another")
    kubectl.apply(*far_provider("another", url, token=token, thumbprint=":".join(["00"] * 32)), *far_provider("pinned", url, token=token, thumbprint=pin))
    kubectl.condition("provider", "pinned", "Ready")
    assert "certificate" in kubectl.condition("provider", "another", "ConnectionTestFailed")["message"]


def test_everything_is_made_there(cluster, kubectl, far, access, new_vcenter, random_disk, tmp_path):
    url, ca, token = access
    disk = random_disk(tmp_path / "disk.raw", 8 * 2048)
    vcenter = new_vcenter(vms=[{"name": "vm", "powerOn": False, "memoryMB": 64, "cpus": 1, "disks": [{"file": str(disk)}],
                                "nics": [{"network": "VM Network", "mac": "00:50:56:0b:09:01"}]}])
    kubectl.apply(
        *far_provider("far", url, token=token, cacert=ca),
        manifests.secret("vc", vcenter.user, vcenter.password, thumbprint=vcenter.sha1), manifests.provider("vc", vcenter.url))
    kubectl.condition("provider", "far", "Ready")
    kubectl.condition("provider", "vc", "Ready")
    kubectl.apply(to_far(manifests.network_map("far", "vc", [({"name": "VM Network"}, "pod")])),
                  to_far(manifests.storage_map("far", "vc", [{"name": name} for name in vcenter.datastores])))
    kubectl.condition("networkmap", "far", "Ready")
    kubectl.condition("storagemap", "far", "Ready")
    kubectl.apply(to_far(manifests.plan("far", "vc", [{"name": "vm"}], target="arrivals", skipGuestConversion=True, targetPowerState="off")))
    kubectl.condition("plan", "far", "Ready")
    run = Run(cluster, vcenter, "vm", "far", "arrivals")
    run.start()
    status = run.finish()

    disks = next(step for step in status["pipeline"] if step["name"] == "DiskTransfer")
    assert disks["progress"]["completed"] == disks["progress"]["total"] == 8
    assert disks["tasks"][0]["annotations"]["readBack"] == "equal"
    machine = far.kubectl.get("virtualmachine", "vm", "arrivals")
    assert machine["spec"]["template"]["spec"]["domain"]["devices"]["interfaces"][0]["macAddress"] == "00:50:56:0b:09:01"
    assert [volume["status"]["phase"] for volume in far.kubectl.get("datavolumes", namespace="arrivals")] == ["Succeeded"]
    assert not kubectl("get", "virtualmachines,datavolumes,pods", "-n", "arrivals", "-o", "name")
