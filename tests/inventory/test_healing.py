"""What breaks between the inventory and its sources, and what it takes to mend it; all of it shows in the Provider's conditions."""
import pytest

from harness import manifests, waiting
from harness.inventory import cluster_access
from harness.vcenter import Vcenter
from harness.vsphere import Administrator


class Source:
    """A vCenter that can be started again where it was: with a new certificate, maybe with another password, without what changed."""

    def __init__(self, directory, config):
        self.directory, self.config, self.starts, self.listen = directory, config, 0, "127.0.0.1:0"
        self.start()

    def start(self, **more):
        self.starts += 1
        self.vcenter = Vcenter(self.directory / str(self.starts), {**self.config, **more}, self.listen)
        self.listen = self.vcenter.url.split("/")[2]

    def crash(self):
        self.vcenter.process.kill()
        self.vcenter.process.wait()
        self.vcenter.stop()

    def restart(self, **more):
        self.crash()
        self.start(**more)


@pytest.fixture(scope="module")
def base(tmp_path_factory, random_disk):
    directory = tmp_path_factory.mktemp("source")
    return directory, {"vms": [{"name": "one", "disks": [{"file": str(random_disk(directory / "disk.raw", 2048))}]}]}


@pytest.fixture
def source(base, tmp_path):
    source = Source(tmp_path, base[1])
    yield source
    source.crash()


@pytest.fixture
def inventory(bare_inventory):
    yield bare_inventory
    for provider in bare_inventory.kubectl.get("providers"):
        if provider["metadata"]["name"] != "host":
            bare_inventory.kubectl("delete", "provider,secret", provider["metadata"]["name"], "-n", "openshift-mtv")


def names(inventory, provider):
    status, _, vms = inventory.ask(f"{inventory.path(provider)}/vms")
    return {vm["name"] for vm in vms} if status == 200 else None


def logins(source):
    return [login["ok"] for login in source.vcenter.log()["logins"] if "Go-http-client" not in str(login)]


def test_a_wrong_password_is_tried_once(inventory, source):
    kubectl = inventory.kubectl
    source.vcenter.forget()
    kubectl.apply(manifests.secret("vc", source.vcenter.user, "wrong", thumbprint=source.vcenter.sha1), manifests.provider("vc", source.vcenter.url))
    found = kubectl.condition("provider", "vc", "ConnectionAuthFailed")
    assert "tried once" in found["message"] and found["category"] == "Critical"
    # A change of the Provider that is none to its connection, and some passes of its reconciler later:
    kubectl("annotate", "provider", "vc", "-n", "openshift-mtv", "seen=1")
    waiting.until("further passes", lambda: inventory.ask(f"{inventory.path('vc')}/vms")[0] == 206)
    assert logins(source) == [False]

    kubectl.apply(manifests.secret("vc", source.vcenter.user, source.vcenter.password, thumbprint=source.vcenter.sha1))
    kubectl.condition("provider", "vc", "Ready")
    assert logins(source) == [False, True]


def test_a_restart_heals_by_itself(inventory, source):
    inventory.add("vc", source.vcenter, insecureSkipVerify="true")
    inventory.kubectl.condition("provider", "vc", "Ready")
    before = {vm["id"]: vm["revision"] for vm in inventory.get(f"{inventory.path('vc')}/vms")}
    Administrator(source.vcenter).rename(source.vcenter.vms["one"]["id"], "eins")
    waiting.until("rename", lambda: names(inventory, "vc") == {"eins"})

    source.crash()
    found = inventory.kubectl.condition("provider", "vc", "ConnectionTestFailed")
    assert source.listen in found["message"]
    source.start()  # it has forgotten the rename
    waiting.until("what it holds now", lambda: names(inventory, "vc") == {"one"})
    inventory.kubectl.condition("provider", "vc", "Ready")
    assert all(vm["revision"] == before[vm["id"]] + 2 for vm in inventory.get(f"{inventory.path('vc')}/vms"))


def test_a_rotated_certificate_is_refused_until_the_secret_follows(inventory, source):
    inventory.add("vc", source.vcenter)
    inventory.kubectl.condition("provider", "vc", "Ready")
    source.restart()
    waiting.until("word of the certificate that it has seen",
                  lambda: source.vcenter.sha1 in inventory.kubectl.condition("provider", "vc", "ConnectionTestFailed")["message"])
    inventory.add("vc", source.vcenter)
    inventory.kubectl.condition("provider", "vc", "Ready")


def test_a_rotated_password_is_refused_once_and_heals_with_the_secret(inventory, source):
    inventory.add("vc", source.vcenter, insecureSkipVerify="true")
    inventory.kubectl.condition("provider", "vc", "Ready")
    source.restart(password="another")
    inventory.kubectl.condition("provider", "vc", "ConnectionAuthFailed")
    assert logins(source) == [False]
    inventory.add("vc", source.vcenter, insecureSkipVerify="true")
    inventory.kubectl.condition("provider", "vc", "Ready")
    assert logins(source) == [False, True]


def test_a_source_that_is_too_old_is_named(inventory, source):
    source.restart(apiVersion="6.0")
    inventory.add("old", source.vcenter)
    found = inventory.kubectl.condition("provider", "old", "ConnectionTestFailed")
    assert "6.0" in found["message"] and "6.5 or later" in found["message"]


def test_a_killed_inventory_keeps_revisions(inventory, source):
    inventory.add("vc", source.vcenter)
    inventory.kubectl.condition("provider", "vc", "Ready")
    Administrator(source.vcenter).rename(source.vcenter.vms["one"]["id"], "uno")
    waiting.until("rename", lambda: names(inventory, "vc") == {"uno"})
    before = {vm["id"]: vm["revision"] for vm in inventory.get(f"{inventory.path('vc')}/vms")}
    inventory.kill()
    inventory.start()
    waiting.until("inventory again", lambda: names(inventory, "vc") == {"uno"})
    assert {vm["id"]: vm["revision"] for vm in inventory.get(f"{inventory.path('vc')}/vms")} == before


# ---- clusters

def remote(name, url, token, ca):
    return ({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": "openshift-mtv"}, "stringData": {"token": token, "cacert": ca}},
            {**manifests.provider(name, url), "spec": {"type": "openshift", "url": url, "secret": {"name": name, "namespace": "openshift-mtv"}}})


@pytest.fixture(scope="module")
def other_cluster(gantry, tmp_path_factory):
    from harness.cluster import Cluster
    cluster = Cluster(gantry, tmp_path_factory.mktemp("other"), "--bare").start()
    yield cluster
    cluster.stop()
    cluster.end_processes()


def test_a_remote_cluster_is_a_provider_too(inventory, other_cluster):
    url, ca, token = cluster_access(other_cluster)
    other_cluster.kubectl("create", "namespace", "only-there")
    other_cluster.kubectl.apply(manifests.bridge_network("red", "only-there", "br7"))
    inventory.kubectl.apply(*remote("far", url, token, ca))
    inventory.kubectl.condition("provider", "far", "Ready")
    far = next(one for one in inventory.get("providers/openshift?detail=1") if one["name"] == "far")
    assert far["networkCount"] == 2 and far["storageClassCount"] >= 1 and far["vmCount"] == 0
    assert "only-there" in {item["name"] for item in inventory.get(f"{far['selfLink']}/namespaces")}
    nads = inventory.get(f"{far['selfLink']}/networkattachmentdefinitions?detail=1")
    assert [(nad["namespace"], nad["name"], nad["object"]["kind"]) for nad in nads] == [("only-there", "red", "NetworkAttachmentDefinition")]
    assert inventory.get(nads[0]["selfLink"]) == nads[0]
    assert inventory.get(f"{far['selfLink']}/vms?namespace=only-there") == [] and inventory.get(f"{far['selfLink']}/instancetypes") == []
    assert inventory.ask(f"{far['selfLink']}/vms", **{"X-Watch": "snapshot"})[0] == 501


def test_a_remote_cluster_that_refuses_the_token_says_so(inventory, other_cluster):
    url, ca, token = cluster_access(other_cluster)
    inventory.kubectl.apply(*remote("far", url, "wrong", ca))
    inventory.kubectl.condition("provider", "far", "ConnectionAuthFailed")
    inventory.kubectl.apply(*remote("far", url, token, ca))
    inventory.kubectl.condition("provider", "far", "Ready")


def test_a_cluster_without_virtualization_says_what_is_needed(inventory, other_cluster):
    url, ca, token = cluster_access(other_cluster)
    other_cluster.kubectl("delete", "crd", "virtualmachines.kubevirt.io")
    inventory.kubectl.apply(*remote("plain", url, token, ca))
    found = inventory.kubectl.condition("provider", "plain", "ConnectionTestFailed")
    assert "kubevirt.io/v1 is needed" in found["message"]
