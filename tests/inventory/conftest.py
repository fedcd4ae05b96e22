"""Fixtures of the inventory's tests: a vCenter with two VMs, a provider for it that is loaded, and a client."""
import json
import ssl
import urllib.error
import urllib.request

import pytest

from harness import manifests, waiting
from harness.cluster import Cluster
from harness.inventory import Standalone

UNTRUSTED = ssl._create_unverified_context()


class Inventory:
    """`gantry up`'s inventory over HTTPS, with the token of its kubeconfig."""

    context = UNTRUSTED

    def __init__(self, cluster):
        self.port = cluster.port + 2
        self.token = cluster.kubectl("config", "view", "--raw", "-o", "jsonpath={.users[0].user.token}").strip()

    def ask(self, path, token=None, **headers):
        """Status, headers and decoded body."""
        request = urllib.request.Request(f"https://127.0.0.1:{self.port}/{path}", headers={
            "Authorization": f"Bearer {self.token if token is None else token}", **headers})
        try:
            with urllib.request.urlopen(request, timeout=waiting.SHORT, context=UNTRUSTED) as answer:
                text = answer.read()
                return answer.status, answer.headers, json.loads(text) if text else None
        except urllib.error.HTTPError as problem:
            return problem.code, problem.headers, None

    def get(self, path):
        status, headers, body = self.ask(path)
        assert status == 200, f"{path}: {status} {headers.get('X-Reason')}"
        return body


@pytest.fixture(scope="module")
def vcenter(new_vcenter, random_disk, tmp_path_factory):
    disk = str(random_disk(tmp_path_factory.mktemp("disks") / "disk.raw", 2048))
    card = {"network": "VM Network", "mac": "00:50:56:0d:00:01"}
    return new_vcenter(vms=[{"name": "one", "disks": [{"file": disk}], "nics": [card]},
                            {"name": "two", "disks": [{"file": disk}, {"file": disk}], "nics": [card]}])


@pytest.fixture(scope="module")
def inventory(module_cluster):
    return Inventory(module_cluster)


@pytest.fixture(scope="module")
def source(module_cluster, vcenter, inventory):
    """The path of a loaded provider whose VMs have been judged: nothing changes any more by itself."""
    kubectl = module_cluster.kubectl
    kubectl.apply(manifests.secret("vc", vcenter.user, vcenter.password, thumbprint=vcenter.sha1),
                  manifests.provider("vc", vcenter.url))
    kubectl.condition("provider", "vc", "Ready")
    path = f"providers/vsphere/{kubectl.get('provider', 'vc')['metadata']['uid']}"
    waiting.until("judged VMs", lambda: all(vm["revision"] == vm["revisionValidated"] for vm in inventory.get(f"{path}/vms?detail=all")))
    return path


@pytest.fixture(scope="module")
def bare_cluster(gantry, tmp_path_factory):
    """An API without Gantry's services."""
    cluster = Cluster(gantry, tmp_path_factory.mktemp("bare"), "--bare").start()
    yield cluster
    cluster.stop()
    cluster.end_processes()


@pytest.fixture(scope="module")
def bare_inventory(gantry, bare_cluster, tmp_path_factory):
    """The inventory alone, as a process of its own."""
    inventory = Standalone(gantry, bare_cluster, tmp_path_factory.mktemp("inventory"))
    yield inventory
    inventory.stop()
