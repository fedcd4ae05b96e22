"""Fixtures of the policy tests: `gantry validation` and OPA's own server as processes of their own, an inventory, a vCenter with everything
that rules look for."""
import shutil

import pytest

from harness.cluster import ROOT, Cluster
from harness.inventory import Standalone
from harness.policy import Opa, Service


@pytest.fixture(scope="module")
def rules(tmp_path_factory):
    """A directory with the default rules, to be changed."""
    folder = tmp_path_factory.mktemp("rules") / "policies"
    shutil.copytree(ROOT / "policies", folder, ignore=shutil.ignore_patterns("*_test.rego"))
    return folder


@pytest.fixture(scope="module")
def opa():
    """OPA's server with the default rules."""
    with Opa(sorted(path for path in (ROOT / "policies").rglob("*.rego") if not path.name.endswith("_test.rego"))) as server:
        yield server


@pytest.fixture(scope="module")
def plain_service(gantry, tmp_path_factory):
    """`gantry validation` with the default rules only."""
    with Service(gantry, ROOT / "policies", tmp_path_factory.mktemp("validation")) as server:
        yield server


@pytest.fixture(scope="module")
def bare_cluster(gantry, tmp_path_factory):
    """An API without Gantry's services."""
    cluster = Cluster(gantry, tmp_path_factory.mktemp("bare"), "--bare").start()
    yield cluster
    cluster.stop()
    cluster.end_processes()


@pytest.fixture(scope="module")
def service(gantry, bare_cluster, rules, tmp_path_factory):
    """`gantry validation` with custom rules from a ConfigMap of that API."""
    with Service(gantry, rules, tmp_path_factory.mktemp("validation"), "--config-map", "forklift-validation-config",
                 KUBECONFIG=str(bare_cluster.kubectl.kubeconfig)) as server:
        yield server


@pytest.fixture(scope="module")
def vcenter(new_vcenter, random_disk, tmp_path_factory):
    disk = str(random_disk(tmp_path_factory.mktemp("disks") / "disk.raw", 2048))
    card = {"network": "VM Network", "mac": "00:50:56:0d:00:01"}
    return new_vcenter(oddities="plain", vms=[{
        "name": "plain", "disks": [{"file": disk}], "nics": [card], "hostName": "plain", "ipAddress": "192.0.2.7", "guestId": "rhel9_64Guest"}])


@pytest.fixture(scope="module")
def inventory(gantry, bare_cluster, service, vcenter, tmp_path_factory):
    inventory = Standalone(gantry, bare_cluster, tmp_path_factory.mktemp("inventory"), POLICY_AGENT_URL=service.url)
    inventory.add("vc", vcenter)
    yield inventory
    inventory.stop()
