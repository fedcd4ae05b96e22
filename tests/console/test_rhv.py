"""Red Hat Virtualization in the browser: a Manager is added with its CA, and a host of it gets a migration network. The console and its controllers
are those of `gantry up`, the Manager is the tests' oVirt engine."""
import re

import pytest
from harness import manifests
from harness.ovirt import Ovirt
from playwright.sync_api import expect

class Served:
    """The cluster's own console."""

    def __init__(self, cluster):
        self.url = re.search(r"console (https://[^ ,]+)", cluster.ready).group(1)
        self.token = cluster.kubectl("config", "view", "--raw", "--minify", "-o", "jsonpath={.users[0].user.token}")


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    one = Ovirt(tmp_path_factory.mktemp("engine"), {"vms": [{"name": "shop"}, {"name": "mail", "powerOn": True}]})
    yield one
    one.stop()


@pytest.fixture(scope="module")
def console(module_cluster, engine):
    return Served(module_cluster)


def row(page, text):
    return page.get_by_role("row").filter(has_text=text)


def test_a_manager_is_added_and_a_host_gets_a_migration_network(cluster, engine, window):
    page = window.enter("/providers")
    page.get_by_role("button", name="Add provider").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name=re.compile("^Type: ")).click()
    page.get_by_role("option", name="Red Hat Virtualization").click()
    page.locator("#provider-name").fill("rhv")
    page.locator("#provider-host").fill(engine.url.split("/")[2])
    page.locator("#provider-user").fill(engine.user)
    page.locator("#provider-password").fill(engine.password)
    add = dialog.get_by_role("button", name="Add", exact=True)
    expect(add).to_be_disabled()  # the CA of the Manager is needed
    page.locator("#provider-ca").fill(engine.cacert)
    dialog.get_by_role("button", name="Check connection").click()
    expect(dialog.get_by_text("The connection works")).to_be_visible()
    add.click()
    expect(dialog).to_have_count(0)
    page.get_by_role("tab", name="Red Hat Virtualization").click()
    expect(row(page, "rhv")).to_contain_text("Ready")
    window.shoot("providers-rhv")

    row(page, "rhv").get_by_role("link", name="1 Hosts: rhv").click()
    expect(row(page, "host1")).to_contain_text("10000 Mbps")
    row(page, "host1").get_by_role("checkbox").check()
    page.get_by_role("button", name="Select migration network").click()
    dialog.get_by_role("button", name=re.compile("^Network for migration transfer: ")).click()
    page.get_by_role("option", name="eth0").click()
    expect(dialog.get_by_text("No user is needed")).to_be_visible()
    window.shoot("hosts-rhv-dialog")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog).to_have_count(0)
    expect(row(page, "host1")).to_contain_text("Ready")
    expect(row(page, "host1")).to_contain_text("eth0")
    window.shoot("hosts-rhv")

    host, = cluster.kubectl.get("host")
    assert host["spec"]["ipAddress"] == engine.imageio_address
    assert "secret" not in host["spec"] and host["metadata"]["ownerReferences"][0]["name"] == "rhv"
    provider = cluster.kubectl.get("provider", "rhv")
    assert set(cluster.kubectl.get("secret", provider["spec"]["secret"]["name"])["data"]) >= {"user", "password", "cacert"}
    assert provider["spec"]["secret"]["namespace"] == manifests.NAMESPACE
    assert engine.password not in page.content()
