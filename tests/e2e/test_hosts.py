"""Hosts: the migration networks of ESXi hosts, by id or name, with the host's password or with tickets of vCenter."""
import pathlib

import pytest

from harness import manifests, waiting
from harness.migration import Run, sha256, sha256_padded
from harness.vcenter import estate

SIZE = (20 << 20) + 512
ESXI = {"user": "root", "password": "esx & secret", "connections": 4}


@pytest.fixture(scope="module")
def vcenter(new_vcenter, random_disk, tmp_path_factory):
    """Two VMs that are off: on a host that stands alone, and on one of a cluster."""
    folder = tmp_path_factory.mktemp("disks")
    return new_vcenter(**estate(esxi=ESXI, vms=[
        {"name": name, "host": host, "disks": [{"file": str(random_disk(folder / f"{name}.raw", SIZE // 512, seed))}],
         "nics": [{"network": "VM Network", "mac": f"00:50:56:0c:00:0{seed}"}]}
        for seed, (name, host) in enumerate([("ticketed", "DC0_H0"), ("known", "DC0_C0_H0")])]))


@pytest.fixture(scope="module")
def provider(module_cluster, vcenter):
    module_cluster.kubectl.apply(manifests.secret("vc", vcenter.user, vcenter.password, cacert=vcenter.ca),
                                 manifests.provider("vc", vcenter.url))
    module_cluster.kubectl.condition("provider", "vc", "Ready")
    return "vc"


def host(metadata_name, provider, secret=None, **spec):
    """As the guide prints it (5.1), unless a Secret is given."""
    spec["provider"] = {"name": provider, "namespace": manifests.NAMESPACE}
    if secret:
        spec["secret"] = {"name": secret, "namespace": manifests.NAMESPACE}
    return {"apiVersion": manifests.API, "kind": "Host",
            "metadata": {"name": metadata_name, "namespace": manifests.NAMESPACE},
            "spec": spec}


class HostRun(Run):
    """A migration of a VM that is off."""

    def migrate(self, meanwhile=None):
        """meanwhile is called while the disk's second half is kept back."""
        self.vcenter.forget()
        self.prepare()
        if meanwhile:
            self.vcenter.fault("hold-after", match="-flat", bytes=SIZE // 2, count=-1)
        self.start()
        if meanwhile:
            waiting.until("half of the disk", lambda: self.vcenter.log()["held"] > 0)
            meanwhile()
            self.vcenter.lift("hold-after")
        self.finish()
        source, target = self.vcenter.file(self.vm, 0), self.target_disks()[0]
        assert sha256(pathlib.Path(target)) == sha256_padded(source, pathlib.Path(target).stat().st_size)
        return self.vcenter.log()

    def prepare(self):
        self.kubectl.apply(
            manifests.network_map(self.name, "vc", [({"name": "VM Network"}, "pod")]),
            manifests.storage_map(self.name, "vc", [{"name": "datastore1"}]))
        self.kubectl.apply(manifests.plan(self.name, "vc", [{"name": self.vm}], skipGuestConversion=True))
        self.kubectl.condition("plan", self.name, "Ready")


def test_without_a_secret_the_disks_come_from_the_host_by_tickets(cluster, vcenter, provider, kubectl):
    esxi = vcenter.hosts["DC0_H0"]
    kubectl.apply(host("ticketed", provider, id=esxi["id"], ipAddress=esxi["address"]))
    assert "tickets" in kubectl.condition("host", "ticketed", "ConnectionTestSucceeded")["message"]
    kubectl.condition("host", "ticketed", "Ready")
    # vCenter's sessions, and the tickets that were not used yet, end in the middle.
    cluster.allow("the connection to a provider ended")
    log = HostRun(cluster, vcenter, "ticketed", "ticketed").migrate(lambda: vcenter.fault("expire-sessions"))
    seen = log["hosts"]["DC0_H0"]
    assert seen["bytes"] >= SIZE and seen["tickets"] >= 5 and seen["logins"] == 0
    assert seen["most"] <= ESXI["connections"]
    assert [name for name, view in log["hosts"].items() if view["requests"]] == ["DC0_H0"]


def test_with_a_secret_the_disks_come_from_the_host_by_its_password(cluster, vcenter, provider, kubectl):
    esxi = vcenter.hosts["DC0_C0_H0"]
    kubectl.apply(manifests.secret("esxi", ESXI["user"], ESXI["password"]),
                  host("known", provider, "esxi", name="DC0_C0_H0", ipAddress=esxi["address"]))
    kubectl.condition("host", "known", "Ready")
    log = HostRun(cluster, vcenter, "known", "known").migrate()
    seen = log["hosts"]["DC0_C0_H0"]
    assert seen["bytes"] >= SIZE and seen["tickets"] == 0 and seen["logins"] >= 1
    assert log["calls"].get("AcquireGenericServiceTicket", 0) == 0


def wrong_hosts(vcenter):
    """(name, Host, type, reason, a part of the message or the items) of Hosts that cannot be used."""
    first, second = vcenter.hosts["DC0_H0"], vcenter.hosts["DC0_C1_H0"]
    right = {"id": first["id"], "ipAddress": first["address"]}
    return [
        ("no-provider", host("no-provider", "", **right), "ProviderNotValid", "NotSet", "spec.provider"),
        ("lost-provider", host("lost-provider", "lost", **right), "ProviderNotValid", "NotFound", "spec.provider"),
        ("cluster-provider", host("cluster-provider", "host", **right), "TypeNotValid", "TypeErr", "vsphere"),
        ("no-host", host("no-host", "vc", ipAddress=first["address"]), "RefNotValid", "NotSet", "spec.id"),
        ("lost-host", host("lost-host", "vc", id="host-9999", ipAddress=first["address"]), "RefNotValid", "NotFound", "no host"),
        ("no-address", host("no-address", "vc", id=first["id"], ipAddress=""), "IpNotValid", "NotSet", "spec.ipAddress"),
        ("odd-address", host("odd-address", "vc", id=first["id"], ipAddress="10.0.0.1:443"), "IpNotValid", "Malformed", "port"),
        ("lost-secret", host("lost-secret", "vc", "lost", **right), "SecretNotValid", "NotFound", "does not exist"),
        ("empty-secret", host("empty-secret", "vc", "empty", **right), "SecretNotValid", "DataErr", "password"),
        # The certificate at this address is another host's than the one that vCenter knows.
        ("other-host", host("other-host", "vc", id=first["id"], ipAddress=second["address"]), "ConnectionTestFailed", "Tested",
         "fingerprint"),
        ("nobody-there", host("nobody-there", "vc", id=first["id"], ipAddress="127.63.0.1"), "ConnectionTestFailed", "Tested",
         "127.63.0.1"),
    ]


def test_each_wrong_host_says_what_is_wrong(cluster, vcenter, provider, kubectl):
    wrong = wrong_hosts(vcenter)
    kubectl.apply(manifests.secret("empty", "root", ""), *[each[1] for each in wrong])
    for name, _, kind, reason, text in wrong:
        found = kubectl.condition("host", name, kind)
        assert found["reason"] == reason and found["category"] == "Critical", found
        assert text in found["message"] + " ".join(found.get("items", [])), found
        conditions = {each["type"] for each in kubectl.get("host", name)["status"]["conditions"]}
        assert "Ready" not in conditions
    waiting.until("the Event", lambda: any(
        event["involvedObject"]["name"] == "lost-host" and event["reason"] == "RefNotValid" and event["type"] == "Warning"
        for event in kubectl.get("events")))


def test_a_refused_password_is_tried_once_and_again_when_the_secret_changes(cluster, vcenter, provider, kubectl):
    esxi = vcenter.hosts["DC0_C1_H0"]
    vcenter.forget()
    kubectl.apply(manifests.secret("typo", "root", "wrong"),
                  host("typo", provider, "typo", id=esxi["id"], ipAddress=esxi["address"]))
    kubectl.condition("host", "typo", "ConnectionTestFailed")
    kubectl("annotate", "host", "typo", "-n", manifests.NAMESPACE, "a=b")
    assert vcenter.log()["hosts"]["DC0_C1_H0"]["logins"] == 1
    kubectl.apply(manifests.secret("typo", "root", ESXI["password"]))
    kubectl.condition("host", "typo", "Ready")
