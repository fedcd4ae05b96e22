"""Chapter 4 of the guide, walked through in the browser: the console of `gantry up` itself, its controllers and a vCenter. Nothing is played."""
import json
import re

import pytest
from harness import manifests, waiting
from playwright.sync_api import expect

MEBIBYTE = 1 << 20
SLOW = 2048  # bytes per second and connection of a copy that is not to end, and not to be taken for one that stands still
ESXI = {"user": "root", "password": "esx & secret", "connections": 8}
VMS = {"first-1": "DC0_C0_H0", "shop-1": "DC0_C0_H0", "shop-2": "DC0_C1_H0", "hooked": "DC0_C0_H0", "runs": "DC0_C0_H0"}
SETTINGS = {"controller_precopy_interval_seconds": 2, "controller_enable_change_tracking": True}
PLAYBOOK = """\
- hosts: localhost
  gather_facts: false
  tasks:
  - debug: {msg: "the window is open"}
"""


@pytest.fixture(scope="module")
def vcenter(new_vcenter, random_disk, tmp_path_factory):
    """VMs with a disk of 16 MiB each, in two clusters of one host; one of them runs."""
    home = tmp_path_factory.mktemp("disks")
    vms = [{"name": name, "host": host, "powerOn": name == "runs", "memoryMB": 64, "hostName": name, "ipAddress": "192.0.2.10",
            "disks": [{"file": str(random_disk(home / f"{name}.raw", 16 * MEBIBYTE // 512, seed))}],
            "nics": [{"network": "VM Network", "mac": f"00:50:56:0f:00:{seed:02x}"}]}
           for seed, (name, host) in enumerate(VMS.items())]
    return new_vcenter(clusters=2, clusterHosts=1, esxi=ESXI, vms=vms)


@pytest.fixture(scope="module")
def console(module_cluster):
    """Where the cluster's own console is, and who may enter."""
    module_cluster.kubectl("patch", "forkliftcontroller", "forklift-controller", "-n", manifests.NAMESPACE, "--type=merge", "-p",
                           json.dumps({"spec": SETTINGS}))
    return Served(module_cluster)


class Served:
    def __init__(self, cluster):
        self.url = re.search(r"console (https://[^ ,]+)", cluster.ready).group(1)
        self.token = cluster.kubectl("config", "view", "--raw", "--minify", "-o", "jsonpath={.users[0].user.token}")


class Steps:
    """What a person does, in the words of the pages."""

    def __init__(self, window):
        self.window, self.page = window, window.page

    def go(self, path):
        self.window.visit(path)

    def row(self, text):
        return self.page.get_by_role("row").filter(has_text=text)

    def dialog(self):
        return self.page.get_by_role("dialog")

    def press(self, name, within=None, **how):
        (within or self.page).get_by_role("button", name=name, **how).click()

    def confirm(self, name):
        self.press(name, self.dialog(), exact=True)
        expect(self.dialog()).to_have_count(0)

    def menu(self, of, entry):
        self.press(f"Options of {of}")
        self.page.get_by_role("menuitem", name=entry).click()

    def choose(self, label, choice, within=None):
        """Opens a list and takes one of it."""
        (within or self.page).get_by_role("button", name=re.compile(f"^{label}: ")).click()
        self.page.get_by_role("option", name=choice).first.click()

    def says(self, text):
        expect(self.page.get_by_text(text).first).to_be_visible()

    # ---- providers and mappings

    def describe_vmware(self, name, address, user, password):
        self.press("Add provider")
        self.page.locator("#provider-name").fill(name)
        self.page.locator("#provider-host").fill(address)
        self.page.locator("#provider-user").fill(user)
        self.page.locator("#provider-password").fill(password)

    def trust(self, fingerprint):
        self.press("Verify certificate")
        expect(self.dialog().get_by_text(fingerprint)).to_be_visible()
        self.page.get_by_label("I trust the authenticity of this certificate").check()

    def add_vmware(self, name, vcenter, password=None):
        self.describe_vmware(name, address_of(vcenter), vcenter.user, password or vcenter.password)
        self.trust(vcenter.sha1)
        self.confirm("Add")

    def create_mapping(self, kind, name, source, origin, target):
        self.page.get_by_role("tab", name=kind).click()
        self.press("Create mapping")
        self.page.locator("#map-name").fill(name)
        self.choose("Source provider", source)
        self.choose("Target provider", "host")
        self.page.locator(f"#{kind.lower()}-source-0").click()
        self.page.get_by_role("option", name=origin).click()
        self.page.locator(f"#{kind.lower()}-target-0").click()
        self.page.get_by_role("option", name=target).first.click()
        self.confirm("Create")
        expect(self.row(name)).to_contain_text("Ready")

    # ---- plans

    def next(self):
        self.press("Next", exact=True)

    def make_plan(self, name, source, vms, namespace="default", warm=False, playbook=None):
        """The whole wizard, with shared mappings."""
        self.go("/plans")
        self.press("Create plan")
        self.page.locator("#plan-name").fill(name)
        self.choose("Source provider", source)
        self.choose("Target provider", "host")
        self.page.locator("#plan-namespace").fill(namespace)
        self.next()
        self.next()
        for vm in vms:
            self.row(vm).get_by_role("checkbox").check()
        self.next()
        for _ in ("network", "storage"):
            self.page.get_by_label("Use an existing mapping").check()
            self.next()
        self.page.get_by_label("Leave the guests as they are").check()
        self.choose("Power of the migrated VMs", "Off")
        if warm:
            self.page.get_by_label("Warm migration").check()
        self.next()
        if playbook:
            self.press("Add hook")
            self.page.locator("#hook-playbook").fill(playbook)
            self.confirm("Add")
        self.next()
        for vm in vms:
            self.says(vm)
        self.press("Finish")
        expect(self.page).to_have_url(re.compile(f"/plans/{name}$"))

    def start(self, plan, button="Start"):
        start = self.page.get_by_role("button", name=f"{button}: {plan}")
        expect(start).not_to_have_attribute("aria-disabled", "true")
        start.click()
        self.confirm(button)


def address_of(peer):
    return peer.url.split("/")[2]


@pytest.fixture
def person(window):
    return Steps(window)


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


def test_from_an_empty_console_to_a_migrated_vm(cluster, vcenter, window, person):
    """4.1.1.1, 4.2, 4.3, 4.4 and 4.5 as the guide tells them."""
    window.enter("/providers")
    person.add_vmware("first", vcenter)
    expect(person.row("first")).to_contain_text("Ready")
    person.go("/mappings/network")
    person.create_mapping("Network", "first-nets", "first", "VM Network", "Pod network")
    person.create_mapping("Storage", "first-stores", "first", "datastore1", "standard")
    person.make_plan("cold", "first", ["first-1"], namespace="made-by-the-console")
    person.start("cold")
    person.says(re.compile("1 of 1 VM"))
    person.says("Succeeded")
    cluster.kubectl.condition("plan", "cold", "Succeeded")
    assert cluster.kubectl.get("virtualmachine", "first-1", "made-by-the-console")


# ---- providers


def test_a_certificate_and_a_password_are_tried_before_they_are_saved(cluster, vcenter, window, person, console):
    window.enter("/providers")
    person.describe_vmware("checked", console.url.split("/")[2], vcenter.user, "wrong")
    person.trust(re.compile("^([0-9A-F]{2}:){19}[0-9A-F]{2}$"))  # of the console, not of the vCenter
    expect(person.dialog().get_by_role("button", name="Add", exact=True)).to_be_enabled()
    window.page.locator("#provider-host").fill(address_of(vcenter))
    expect(person.dialog().get_by_role("button", name="Add", exact=True)).to_be_disabled()
    expect(person.dialog().get_by_role("button", name="Check connection")).to_be_disabled()
    person.trust(vcenter.sha1)
    person.press("Check connection")
    person.says(re.compile("Check user and password"))
    window.page.locator("#provider-password").fill(vcenter.password)
    person.press("Check connection")
    person.says("The connection works")
    person.confirm("Add")
    expect(person.row("checked")).to_contain_text("Ready")
    person.menu("checked", "Remove")
    person.confirm("Remove")
    expect(person.row("checked")).to_have_count(0)
    window.complaints[:] = [text for text in window.complaints if "422" not in text]


def test_a_wrong_password_is_said_and_corrected(cluster, vcenter, window, person):
    cluster.allow("checked|mistyped|provider|login|password")
    window.enter("/providers")
    person.add_vmware("mistyped", vcenter, password="wrong")
    expect(person.row("mistyped")).to_contain_text("Critical")
    person.row("mistyped").get_by_role("button", name=re.compile("^Critical")).click()
    person.says(re.compile("password"))
    window.page.keyboard.press("Escape")
    person.menu("mistyped", "Edit")
    window.page.locator("#provider-user").fill(vcenter.user)
    window.page.locator("#provider-password").fill(vcenter.password)
    person.confirm("Save")
    expect(person.row("mistyped")).to_contain_text("Ready")


def test_another_cluster_is_added_with_its_ca_and_gets_a_migration_network(cluster, vcenter, window, person, console):
    kubectl = cluster.kubectl
    kubectl.apply(manifests.bridge_network("fast"))
    ca = kubectl("get", "configmap", "gantry-ca", "-n", manifests.NAMESPACE, "-o", "jsonpath={.data.ca\\.crt}")
    page = window.enter("/providers/openshift")
    person.press("Add provider")
    person.choose("Type", "OpenShift Virtualization", person.dialog())
    page.locator("#provider-name").fill("elsewhere")
    page.locator("#provider-url").fill(f"https://127.0.0.1:{cluster.port}")
    page.locator("#provider-token").fill(console.token)
    page.locator("#provider-ca").fill(vcenter.ca)
    person.press("Check connection")
    person.says(re.compile("certificate does not verify"))
    page.locator("#provider-ca").fill(ca)
    person.press("Check connection")
    person.says("The connection works")
    person.confirm("Add")
    row = person.row("elsewhere")
    expect(row).to_contain_text("Ready")

    row.get_by_role("radio").check()
    person.press("Select migration network")
    person.choose("Migration network", "default/fast", person.dialog())
    person.confirm("Select")
    row.get_by_role("button", name=re.compile("Networks: elsewhere")).click()
    expect(page.get_by_role("list", name="Networks").get_by_role("listitem").filter(has_text="default/fast")).to_contain_text("migration network")
    window.complaints[:] = [text for text in window.complaints if "422" not in text]


def test_a_host_gets_a_migration_network(cluster, provider, vcenter, window, person):
    page = window.enter(f"/providers/vsphere/{provider}")
    esxi = vcenter.hosts["DC0_C1_H0"]
    person.row("DC0_C1_H0").get_by_role("checkbox").check()
    person.press("Select migration network")
    person.choose("Network for migration transfer", re.compile("^Management Network$"), person.dialog())
    page.locator("#host-user").fill(ESXI["user"])
    page.locator("#host-password").fill(ESXI["password"])
    person.confirm("Save")
    expect(person.row("DC0_C1_H0")).to_contain_text("Ready")
    host, = [each for each in cluster.kubectl.get("host") if each["spec"].get("id") == esxi["id"]]
    assert host["metadata"]["ownerReferences"][0]["name"] == provider


# ---- plans


def test_vms_are_cancelled_restarted_archived_and_deleted(cluster, provider, vcenter, window, person):
    disk = vcenter.vms["shop-2"]["disks"][0]["path"].replace(".vmdk", "-flat.vmdk")
    vcenter.fault("rate", count=-1, bytes=SLOW, match=disk)
    page = window.enter("/plans")
    person.make_plan("shop", provider, ["shop-1", "shop-2"])
    person.start("shop")
    person.row("shop-2").get_by_role("checkbox").check()
    person.press(re.compile("^Cancel"))
    person.confirm("Yes, cancel")
    expect(person.row("shop-2").first).to_contain_text("Canceled")
    vcenter.lift("rate")
    expect(person.row("shop-1").first).to_contain_text("Migrated")
    person.start("shop", "Restart")
    person.says(re.compile("2 of 2 VMs"))

    person.menu("shop", "Archive")
    person.confirm("Archive")
    cluster.kubectl.condition("plan", "shop", "Archived")
    person.menu("shop", "Delete")
    person.confirm("Delete")
    waiting.until("end of the plan", lambda: cluster.kubectl.get("plan", "shop") is None)
    person.go("/plans")
    page.get_by_role("heading", level=1).wait_for()
    expect(page.get_by_role("link", name="shop", exact=True)).to_have_count(0)


def test_a_warm_plan_waits_for_its_cutover(cluster, provider, window, person):
    page = window.enter("/plans")
    person.make_plan("warm", provider, ["runs"], warm=True)
    person.start("warm")
    person.press("Cutover: warm", exact=True)
    page.get_by_label("Later").check()
    page.get_by_label("Date and time").fill("2099-01-01T10:00")
    person.confirm("Set cutover")
    person.says(re.compile("cutover scheduled"))
    person.menu("warm", "Cancel scheduled cutover")
    person.press("Cutover: warm", exact=True)
    person.confirm("Set cutover")
    person.says(re.compile("1 of 1 VM"))
    person.says("Succeeded")


def test_a_hook_runs_and_a_plan_is_copied_and_edited(cluster, provider, window, person):
    page = window.enter("/plans")
    person.make_plan("hooked", provider, ["hooked"], playbook=PLAYBOOK)
    person.menu("hooked", "Duplicate")
    expect(page.locator("#plan-name")).to_have_value("copy-of-hooked")
    for _ in range(7):
        person.next()
    person.press("Finish")
    expect(page).to_have_url(re.compile("/plans/copy-of-hooked$"))
    person.menu("copy-of-hooked", "Edit")
    page.locator("#plan-description").fill("for another day")
    for _ in range(7):
        person.next()
    person.press("Finish")
    expect(page).to_have_url(re.compile("/plans/copy-of-hooked$"))
    spec = cluster.kubectl.get("plan", "copy-of-hooked")["spec"]
    assert spec["description"] == "for another day" and spec["skipGuestConversion"] and spec["targetPowerState"] == "off"
    assert spec["vms"][0]["hooks"][0]["step"] == "PreHook"

    person.go("/plans/hooked")
    person.start("hooked")
    person.says("Succeeded")
    status, = cluster.kubectl.get("plan", "hooked")["status"]["migration"]["vms"]
    assert next(step for step in status["pipeline"] if step["name"] == "PreHook")["phase"] == "Completed"


# ---- when something is not as it should be


def test_an_inventory_that_is_filling_and_a_vcenter_that_goes_away(cluster, new_vcenter, window, person):
    cluster.allow("connection to a provider|cannot be reached|provider|inventory")
    vcenter = new_vcenter()
    vcenter.fault("delay", count=-1, where="sdk", match="WaitForUpdates", milliseconds=600000)
    window.enter("/providers")
    person.add_vmware("slow", vcenter)
    expect(person.row("slow")).to_contain_text("Pending")
    vcenter.lift("delay")
    expect(person.row("slow")).to_contain_text("Ready")
    vcenter.stop()
    expect(person.row("slow")).to_contain_text("Critical")
    person.row("slow").get_by_role("button", name=re.compile("^Critical")).click()
    person.says(re.compile("Check address, port|connect"))


@pytest.fixture(scope="module")
def onlooker(module_cluster):
    """The token of an account that may look at everything and change nothing."""
    kubectl = module_cluster.kubectl
    rule = {"apiGroups": ["forklift.konveyor.io"], "resources": ["*"], "verbs": ["get", "list", "watch"]}
    meta = {"name": "onlooker", "namespace": manifests.NAMESPACE}
    kubectl.apply({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": meta, "rules": [rule]},
                  {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": meta,
                   "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "onlooker"},
                   "subjects": [{"kind": "ServiceAccount", "name": "onlooker", "namespace": "default"}]})
    return token_of(kubectl, "onlooker")


def token_of(kubectl, account):
    """A token of a new account of no special namespace, so that it may nothing that was not granted."""
    kubectl.apply({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": account, "namespace": "default"}})
    return kubectl("create", "token", account, "-n", "default").strip()


def test_who_may_only_look_is_told_so(cluster, provider, onlooker, window, person):
    page = window.page
    window.sign_in(onlooker)
    page.get_by_role("button", name="Get started").click()
    expect(person.row(provider)).to_contain_text("Ready")
    add = page.get_by_role("button", name="Add provider")
    expect(add).to_have_attribute("aria-disabled", "true")
    add.hover()
    person.says("Your account may not create providers")
    person.go("/mappings/network")
    expect(page.get_by_role("button", name="Create mapping").first).to_have_attribute("aria-disabled", "true")
    window.complaints[:] = [text for text in window.complaints if "403" not in text]


def test_who_may_nothing_is_told_what_is_missing(cluster, window, person):
    cluster.allow("cannot watch")
    window.sign_in(token_of(cluster.kubectl, "stranger"))
    person.press("Get started")
    person.says("Cannot read Provider")
    person.says(re.compile("Your account may not read Provider"))
    window.complaints[:] = [text for text in window.complaints if "403" not in text]


def test_a_console_that_is_restarted_asks_to_sign_in_and_goes_on(cluster, provider, window, person):
    window.enter("/providers/vsphere")
    expect(person.row(provider)).to_contain_text("Ready")
    pods = [pod["metadata"]["name"] for pod in cluster.kubectl.get("pod") if pod["metadata"]["name"].startswith("forklift-ui-")]
    assert pods
    cluster.kubectl("delete", "pod", *pods, "-n", manifests.NAMESPACE, "--wait=false")
    person.says("Your session has ended")
    window.page.locator("#token").fill(window.console.token)
    person.press("Sign in", exact=True)
    expect(person.row(provider)).to_contain_text("Ready")
    window.complaints[:] = [text for text in window.complaints if not re.search("ERR_|50[0-9]|401", text)]
