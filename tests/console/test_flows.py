"""Chapter 4 of the guide, walked through in the browser: the console of `gantry up` itself, its controllers and a vCenter. Nothing is played."""
import re

import pytest
from harness import manifests, waiting
from harness.cluster import condition_of
from playwright.sync_api import expect

MEBIBYTE = 1 << 20
GUARD = waiting.SHORT * 1000  # how long a page may take before it has certainly given up


@pytest.fixture(scope="module")
def vcenter(new_vcenter, random_disk, tmp_path_factory):
    """VMs that are off, with a disk of 4 MiB each, in two clusters of one host; one runs."""
    home = tmp_path_factory.mktemp("disks")
    vms = [{"name": name, "host": host, "powerOn": name == "runs", "memoryMB": 64, "hostName": name, "ipAddress": "192.0.2.10",
            "disks": [{"file": str(random_disk(home / f"{name}.raw", 4 * MEBIBYTE // 512, seed))}],
            "nics": [{"network": "VM Network", "mac": f"00:50:56:0f:00:{seed:02x}"}]}
           for seed, (name, host) in enumerate([("shop-1", "DC0_C0_H0"), ("shop-2", "DC0_C1_H0"), ("hooked", "DC0_C0_H0"), ("runs", "DC0_C0_H0")])]
    return new_vcenter(clusters=2, clusterHosts=1, vms=vms)


@pytest.fixture(scope="module")
def console(module_cluster):
    """Where the cluster's own console is, and who may enter."""
    return Served(module_cluster)


class Served:
    def __init__(self, cluster):
        self.url = re.search(r"console (https://[^ ,]+)", cluster.ready).group(1)
        self.token = cluster.kubectl("config", "view", "--raw", "--minify", "-o", "jsonpath={.users[0].user.token}")


class Steps:
    """What a person does, in the words of the pages."""

    def __init__(self, page):
        page.set_default_timeout(GUARD)
        self.page = page

    def press(self, name, within=None, **how):
        (within or self.page).get_by_role("button", name=name, **how).click()

    def choose(self, label, choice, within=None):
        """Opens a list and takes one of it."""
        (within or self.page).get_by_role("button", name=re.compile(f"^{label}: ")).click()
        self.page.get_by_role("option", name=choice).first.click()

    def add_vmware(self, name, vcenter, password=None):
        self.press("Add provider")
        dialog = self.page.get_by_role("dialog")
        dialog.locator("#provider-name").fill(name)
        dialog.locator("#provider-host").fill(vcenter.url.split("/")[2])
        dialog.locator("#provider-user").fill(vcenter.user)
        dialog.locator("#provider-password").fill(password or vcenter.password)
        self.press("Verify certificate", dialog)
        expect(dialog.get_by_text(vcenter.sha1)).to_be_visible()
        dialog.get_by_label("I trust the authenticity of this certificate").check()
        self.press("Add", dialog, exact=True)
        expect(self.page.get_by_role("dialog")).to_have_count(0)

    def create_mapping(self, kind, name, source, rows):
        self.page.get_by_role("tab", name=kind).click()
        self.page.get_by_role("button", name="Create mapping").click()
        dialog = self.page.get_by_role("dialog")
        dialog.locator("#map-name").fill(name)
        self.choose("Source provider", source, dialog)
        for index, (origin, target) in enumerate(rows):
            dialog.locator(f"#{kind.lower()}-source-{index}").click()
            self.page.get_by_role("option", name=origin).click()
            dialog.locator(f"#{kind.lower()}-target-{index}").click()
            self.page.get_by_role("option", name=target).first.click()
        self.press("Create", dialog)
        expect(self.page.get_by_role("dialog")).to_have_count(0)

    def next(self):
        self.press("Next", exact=True)


@pytest.fixture(scope="module")
def provider(module_cluster, vcenter):
    """A provider and shared mappings, ready, for the tests that are not about making them."""
    kubectl = module_cluster.kubectl
    kubectl.apply(manifests.secret("vc", vcenter.user, vcenter.password, thumbprint=vcenter.sha1), manifests.provider("vc", vcenter.url))
    kubectl.condition("provider", "vc", "Ready")
    kubectl.condition("provider", "host", "Ready")
    kubectl.apply(manifests.network_map("nets", "vc", [({"name": "VM Network"}, "pod")]), manifests.storage_map("stores", "vc", [{"name": "datastore1"}]))
    kubectl.condition("networkmap", "nets", "Ready")
    kubectl.condition("storagemap", "stores", "Ready")
    return "vc"


@pytest.fixture
def person(window):
    return Steps(window.page)


def test_from_an_empty_console_to_a_migrated_vm(cluster, vcenter, window, person):
    """4.1.1.1, 4.2, 4.3, 4.4 and 4.5 as the guide tells them."""
    page = window.enter("/providers")
    person.add_vmware("first", vcenter)
    row = page.get_by_role("row").filter(has_text="first")
    expect(row).to_contain_text("Ready", timeout=GUARD)

    page.goto(window.console.url + "/mappings/network")
    person.create_mapping("Network", "first-nets", "first", [("VM Network", "Pod network")])
    expect(page.get_by_role("row").filter(has_text="first-nets")).to_contain_text("Ready", timeout=GUARD)
    person.create_mapping("Storage", "first-stores", "first", [("datastore1", "standard")])
    expect(page.get_by_role("row").filter(has_text="first-stores")).to_contain_text("Ready", timeout=GUARD)

    page.goto(window.console.url + "/plans")
    page.get_by_role("button", name="Create plan").click()
    page.locator("#plan-name").fill("cold")
    person.choose("Source provider", "first")
    page.locator("#plan-namespace").fill("made-by-the-console")
    expect(page.get_by_text("does not exist yet")).to_be_visible()
    person.next()
    person.next()
    page.get_by_role("row").filter(has_text="shop-1").get_by_role("checkbox").check()
    person.next()
    page.get_by_label("Use an existing mapping").check()
    person.next()
    page.get_by_label("Use an existing mapping").check()
    person.next()
    page.get_by_label("Leave the guests as they are").check()
    person.next()
    person.next()
    expect(page.get_by_text("shop-1")).to_be_visible()
    person.press("Finish")
    start = page.get_by_role("button", name="Start: cold")
    expect(start).to_be_enabled(timeout=GUARD)
    start.click()
    page.get_by_role("dialog").get_by_role("button", name="Start").click()
    expect(page.get_by_text(re.compile("1 of 1 VM"))).to_be_visible(timeout=GUARD)
    expect(page.get_by_text("Succeeded").first).to_be_visible(timeout=GUARD)
    assert cluster.kubectl.get("virtualmachine", "shop-1", "made-by-the-console")
    assert condition_of(cluster.kubectl.get("plan", "cold"), "Succeeded")
