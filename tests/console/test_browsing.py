"""What a person looks through in the console of `gantry up` itself: a vCenter's inventory, and the logs of a plan. Nothing is played."""
import json
import re
import tarfile

import pytest
from harness import manifests, stories, waiting
from harness.cluster import condition_of
from harness.vcenter import estate
from playwright.sync_api import expect

GUARD = waiting.SHORT * 1000  # how long a page may take before it has certainly given up


class Served:
    """The cluster's own console."""

    def __init__(self, cluster):
        self.url = re.search(r"console (https://[^ ,]+)", cluster.ready).group(1)
        self.token = cluster.kubectl("config", "view", "--raw", "--minify", "-o", "jsonpath={.users[0].user.token}")


@pytest.fixture(scope="module")
def console(module_cluster, new_vcenter):
    vcenter = new_vcenter(**estate([]))
    module_cluster.kubectl.apply(manifests.secret("vc", vcenter.user, vcenter.password, thumbprint=vcenter.sha1), manifests.provider("vc", vcenter.url))
    module_cluster.kubectl.condition("provider", "vc", "Ready")
    return Served(module_cluster)


def rows(page):
    return page.get_by_role("row").filter(has_text="other")


def test_an_inventory_is_paged_found_and_shown(cluster, window):
    page = window.enter("/inventory")
    page.set_default_timeout(GUARD)
    expect(page).to_have_url(re.compile("/inventory/vc/vms$"))
    expect(rows(page)).to_have_count(20, timeout=GUARD)
    page.get_by_role("button", name="Go to next page").first.click()
    expect(rows(page)).to_have_count(10, timeout=GUARD)
    page.get_by_label("Find by name").fill("OTHER7")
    expect(rows(page)).to_have_count(1, timeout=GUARD)
    page.get_by_role("button", name="Show other7 as YAML").click()
    expect(page.get_by_role("dialog")).to_contain_text("name: other7")
    page.get_by_role("dialog").get_by_role("button", name="Close").click()
    page.get_by_role("tab", name="Datastores").click()
    expect(page.get_by_role("row").filter(has_text="datastore1")).to_be_visible(timeout=GUARD)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_what_an_inventory_holds_can_be_read(cluster, new_window, width, scheme):
    window = new_window(width=width, scheme=scheme)
    page = window.enter("/inventory/vc/vms")
    found = {}

    def look(name):
        window.shoot(f"{name}-{width}-{scheme}")
        found[name] = window.serious() + window.clipped()

    expect(rows(page)).to_have_count(20)
    look("inventory-vms")
    for tab, text, name in [("Hosts", "DC0_C0_H0", "inventory-hosts"), ("Datastores", "datastore1", "inventory-datastores")]:
        page.get_by_role("tab", name=tab).click()
        expect(page.get_by_role("row").filter(has_text=text)).to_be_visible()
        look(name)
    window.visit("/providers/vsphere/vc")
    expect(page.get_by_role("row").filter(has_text="DC0_C0_H0")).to_be_visible()
    look("hosts")
    assert "\n".join(f"{name}: {problem}" for name, problems in found.items() for problem in problems) == ""


def test_vms_are_found_by_their_concerns(cluster, window):
    page = window.enter("/inventory/vc/vms")
    page.set_default_timeout(GUARD)
    expect(rows(page)).to_have_count(20, timeout=GUARD)
    page.get_by_label("Find a concern").fill("no such concern")
    expect(page.get_by_text("Nothing matches the filters")).to_be_visible(timeout=GUARD)


def test_logs_of_a_plan_are_collected_and_downloaded(cluster, window, tmp_path):
    waiting.until("the must-gather API", lambda: [
        pod for pod in cluster.kubectl.get("pods", selector="app.kubernetes.io/name=forklift-must-gather-api") if condition_of(pod, "Ready")])
    cluster.kubectl("scale", "deployment", "forklift-controller", "-n", manifests.NAMESPACE, "--replicas=0")
    waiting.until("end of the controllers",
                  lambda: not [pod for pod in cluster.kubectl.get("pods") if "forklift-controller" in pod["metadata"]["name"]])
    cluster.kubectl.apply(stories.plan("shop", "vm-1"), manifests.migration("shop-1", "shop"))
    ended = stories.status(cluster.kubectl.get("migration", "shop-1"), stories.vm("vm-1", 4, ended="Succeeded"),
                           conditions=[stories.READY, stories.condition("Succeeded")], completed=stories.timestamp())
    cluster.kubectl("patch", "plan", "shop", "-n", manifests.NAMESPACE, "--subresource=status", "--type=merge", "-p", json.dumps({"status": ended}))
    page = window.enter("/plans/shop")
    page.set_default_timeout(GUARD)
    page.get_by_role("button", name="Get logs: shop").click()
    page.get_by_role("dialog").get_by_role("button", name="Get logs").click()
    link = page.get_by_role("link", name="Download logs: shop")
    expect(link).to_be_visible(timeout=GUARD)
    with page.expect_download() as download:
        link.click()
    download.value.save_as(tmp_path / "logs.tar.gz")
    with tarfile.open(tmp_path / "logs.tar.gz") as archive:
        assert any(re.search(r"/crs/[^/]*plan[^/]*/shop\.yaml$", name) for name in archive.getnames()), archive.getnames()
