"""What a person sees and does in the console."""
import re

import pytest
from harness import manifests, stories
from harness.stories import timestamp
from playwright.sync_api import expect

READY_PROVIDER = {"phase": "Ready", "conditions": [stories.condition("Ready", "Required", "The provider is ready.")]}


@pytest.fixture(scope="module", autouse=True)
def providers(stage):
    stage.put({"apiVersion": manifests.API, "kind": "Provider", "metadata": {"name": "host", "namespace": manifests.NAMESPACE},
               "spec": {"type": "openshift", "url": "", "secret": {}}}, READY_PROVIDER)
    stage.put(manifests.provider("vcenter", "https://vcenter.example.com/sdk"), READY_PROVIDER)


@pytest.fixture
def ready_plan(stage):
    stage.put(stories.plan("shop", "vm-1", "vm-2"), stories.status(None, conditions=[stories.READY]))
    yield "shop"
    stage.remove("plan", "shop")
    stage.kubectl("delete", "migrations", "--all", "-n", manifests.NAMESPACE, "--wait=false")


def migration_of(stage, plan):
    found = [each for each in stage.kubectl.get("migrations") if each["spec"]["plan"]["name"] == plan]
    return found[0] if found else None


def began(stage, plan, *vms, **more):
    """The plan has begun the migration that the console or the test made."""
    migration = migration_of(stage, plan)
    if not migration:
        stage.put(manifests.migration(f"{plan}-1", plan))
        migration = stage.get("migration", f"{plan}-1")
    stage.status("plan", plan, stories.status(migration, *vms, **more))
    return migration


class TestSigningIn:
    def test_a_wrong_token_is_refused_and_says_so(self, new_window):
        window = new_window()
        window.sign_in("wrong")
        expect(window.page.get_by_role("alert")).to_contain_text("does not know this token")
        assert window.context.cookies() == []
        # Chromium reports every 401 in its console; there must be nothing else.
        assert all("401" in text for text in window.complaints)
        window.complaints.clear()

    def test_the_token_is_nowhere_in_the_browser(self, window, console):
        page = window.enter()
        cookie, = window.context.cookies()
        assert cookie["httpOnly"] and cookie["secure"] and cookie["sameSite"] == "Strict"
        kept = page.evaluate("JSON.stringify([localStorage, sessionStorage, document.cookie, location.href, document.documentElement.outerHTML])")
        assert console.token not in kept and console.token not in cookie["value"]

    def test_who_signs_out_is_out(self, window, console):
        page = window.enter()
        cookies = window.context.cookies()
        page.get_by_role("button", name="Account").click()
        page.get_by_role("menuitem", name=re.compile("Sign out")).click()
        expect(page.locator("#token")).to_be_visible()
        window.context.add_cookies(cookies)
        page.goto(console.url + "/plans")
        expect(page.locator("#token")).to_be_visible()


    def test_the_console_of_the_cluster_itself_lets_people_in(self, chromium, module_cluster, console):
        url = re.search(r"console (https://[^ ,]+)", module_cluster.ready).group(1)
        context = chromium.new_context(ignore_https_errors=True)
        page = context.new_page()
        page.goto(url)
        page.locator("#token").fill(console.token)
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("button", name="Get started")).to_be_visible()
        page.goto(f"{url}/providers/openshift")
        expect(page.get_by_role("row").filter(has_text="This cluster")).to_be_visible()
        context.close()


class TestPlans:
    def test_there_is_a_way_on_when_there_are_none(self, window):
        page = window.enter("/plans")
        expect(page.get_by_text("No migration plans yet")).to_be_visible()
        page.get_by_role("button", name="Create plan").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Create migration plan")

    def test_a_plan_is_started_and_its_progress_moves(self, window, stage, ready_plan):
        page = window.enter("/plans")
        row = page.get_by_role("row").filter(has_text="shop")
        expect(row).to_contain_text("Ready")
        row.get_by_role("button", name="Start: shop").click()
        page.get_by_role("dialog").get_by_role("button", name="Start").click()
        expect(page).to_have_url(re.compile("/plans/shop$"))
        expect(page.get_by_text("Preparing")).to_be_visible()

        migration = migration_of(stage, "shop")
        assert re.fullmatch(r"shop-\d{13}", migration["metadata"]["name"])
        assert migration["metadata"]["ownerReferences"][0]["kind"] == "Plan"

        began(stage, "shop", stories.vm("vm-1", 1, 256), stories.vm("vm-2", -1))
        expect(page.get_by_role("progressbar", name="Disks: web-1")).to_have_attribute("aria-valuenow", "25")
        expect(page.get_by_role("row").filter(has_text="web-2")).to_contain_text("Waiting")
        page.wait_for_timeout(2000)
        began(stage, "shop", stories.vm("vm-1", 1, 768), stories.vm("vm-2", 1, 10))
        expect(page.get_by_role("progressbar", name="Disks: web-1")).to_have_attribute("aria-valuenow", "75")
        expect(page.get_by_role("row").filter(has_text="web-1").first).to_contain_text(re.compile(r"MiB/s.* left"))

        done = [stories.vm("vm-1", 4, ended="Succeeded"), stories.vm("vm-2", 4, ended="Succeeded")]
        began(stage, "shop", *done, conditions=[stories.READY, stories.condition("Succeeded")], completed=timestamp())
        expect(page.get_by_text("2 of 2 VMs migrated")).to_be_visible()
        expect(page.get_by_text("Succeeded").first).to_be_visible()

    def test_what_blocks_a_plan_is_said_with_the_vms(self, window, stage, ready_plan):
        blocked = stories.condition("VMNetworksNotMapped", "Critical", "Some VMs have networks that are not mapped.", items=["web-1", "web-2"])
        stage.status("plan", "shop", {"conditions": [blocked]})
        page = window.enter("/plans/shop")
        expect(page.get_by_text("Some VMs have networks that are not mapped.")).to_be_visible()
        expect(page.get_by_text("web-2").first).to_be_visible()
        expect(page.get_by_role("button", name="Start: shop")).to_have_attribute("aria-disabled", "true")

    def test_a_failed_vm_says_why_and_the_plan_can_be_restarted(self, window, stage, ready_plan):
        reason = "The guest's root filesystem is encrypted and no key was given."
        failed = stories.vm("vm-1", 2, ended="Failed", reason=reason)
        began(stage, "shop", failed, stories.vm("vm-2", 4, ended="Succeeded"),
              conditions=[stories.READY, stories.condition("Failed")], completed=timestamp())
        page = window.enter("/plans/shop")
        page.get_by_role("row").filter(has_text="web-1").get_by_role("button").first.click()
        expect(page.get_by_text(reason).first).to_be_visible()
        expect(page.get_by_role("button", name="Restart: shop")).to_be_enabled()

    def test_one_vm_of_a_running_plan_is_canceled(self, window, stage, ready_plan):
        migration = began(stage, "shop", stories.vm("vm-1", 1, 100), stories.vm("vm-2", 1, 100))
        page = window.enter("/plans/shop")
        page.get_by_role("row").filter(has_text="web-2").get_by_role("checkbox").check()
        page.get_by_role("button", name="Cancel (1)").click()
        page.get_by_role("button", name="Yes, cancel").click()
        expect(page.get_by_role("dialog")).to_have_count(0)
        cancel = stage.get("migration", migration["metadata"]["name"])["spec"]["cancel"]
        assert [ref["id"] for ref in cancel] == ["vm-2"]

    def test_a_plan_that_is_deleted_elsewhere_vanishes(self, window, stage, ready_plan):
        page = window.enter("/plans")
        expect(page.get_by_role("link", name="shop")).to_be_visible()
        stage.remove("plan", "shop")
        expect(page.get_by_role("link", name="shop")).to_have_count(0)

    def test_archive_asks_first(self, window, stage, ready_plan):
        began(stage, "shop", stories.vm("vm-1", 4, ended="Succeeded"), stories.vm("vm-2", 4, ended="Succeeded"),
              conditions=[stories.READY, stories.condition("Succeeded")], completed=timestamp())
        page = window.enter("/plans/shop")
        page.get_by_role("button", name="Options of shop").click()
        page.get_by_role("menuitem", name="Archive").click()
        page.get_by_role("dialog").get_by_role("button", name="Archive").click()
        expect(page.get_by_text("Archiving")).to_be_visible()
        assert stage.get("plan", "shop")["spec"]["archived"] is True

    def test_the_yaml_is_the_object(self, window, ready_plan):
        page = window.enter("/plans/shop?tab=yaml")
        expect(page.get_by_text("targetNamespace: default")).to_be_visible()


class TestVmsOfAPlan:
    """The server filters, sorts and cuts them."""

    @pytest.fixture
    def page(self, window, stage, ready_plan):
        vms = [f"vm-{number:02}" for number in range(1, 46)]
        stage.put(stories.plan("shop", *vms))
        began(stage, "shop", *(stories.vm(vm, 4, ended="Succeeded") if number < 40 else stories.vm(vm, 1, 100 + number) for number, vm in enumerate(vms)))
        page = window.enter("/plans/shop")
        expect(page.get_by_role("row").filter(has_text="web-01")).to_be_visible()
        return page

    def test_they_come_in_pages(self, page):
        expect(page.get_by_role("row").filter(has_text="web-")).to_have_count(20)
        page.get_by_role("button", name="Go to next page").first.click()
        expect(page.get_by_role("row").filter(has_text="web-21")).to_be_visible()
        expect(page.get_by_role("row").filter(has_text="web-01")).to_have_count(0)

    def test_they_are_found_by_name_and_state(self, page):
        page.get_by_role("button", name="State", exact=True).first.click()
        page.get_by_role("menuitem", name="Running").or_(page.get_by_role("option", name="Running")).first.click()
        expect(page.get_by_role("row").filter(has_text="web-")).to_have_count(5)
        page.get_by_label("Find by name").fill("EB-43")
        expect(page.get_by_role("row").filter(has_text="web-")).to_have_count(1)
        expect(page.get_by_role("row").filter(has_text="web-43")).to_be_visible()


class TestReport:
    def test_it_says_what_was_proved_and_is_exported(self, window, stage, ready_plan):
        proved = stories.vm("vm-1", 4, ended="Succeeded")
        proved["pipeline"][1]["tasks"][0]["annotations"] = {"unit": "MB", "hash": "xxh3-128:0123", "readBack": "equal", "bytes": "1073741824"}
        began(stage, "shop", proved, stories.vm("vm-2", 2, ended="Failed", reason="No, thanks."),
              conditions=[stories.READY, stories.condition("Failed")], completed=timestamp())
        page = window.enter("/plans/shop?tab=report")
        expect(page.get_by_text("1 of 2 disks read back from the target and found equal (1 GiB).")).to_be_visible()
        with page.expect_download() as download:
            page.get_by_role("button", name="Export as CSV").click()
        assert download.value.suggested_filename == "shop-report.csv"
        lines = download.value.path().read_text().splitlines()
        assert "1073741824,xxh3-128:0123,equal" in lines[1] and '"No, thanks."' in lines[2]


class TestSettings:
    def test_one_is_changed_checked_and_taken_back(self, window, stage):
        page = window.enter("/settings")
        field = page.locator("#controller_max_vm_inflight")
        field.fill("0")
        expect(page.get_by_role("alert").filter(has_text="From 1 to 10000.")).to_be_visible()
        field.fill("7")
        save = page.get_by_role("button", name="Save", exact=True)
        save.click()
        # The form begins anew with what the server says.
        expect(save).to_have_attribute("aria-disabled", "true")
        expect(field).to_have_value("7")
        assert stage.kubectl.get("forkliftcontrollers")[0]["spec"]["controller_max_vm_inflight"] == 7
        field.fill("")
        save.click()
        expect(save).to_have_attribute("aria-disabled", "true")
        assert "controller_max_vm_inflight" not in stage.kubectl.get("forkliftcontrollers")[0]["spec"]
        page.get_by_role("tab", name="YAML").click()
        expect(page.get_by_text("kind: ForkliftController")).to_be_visible()


class TestWarmPlans:
    def test_a_cutover_is_scheduled_and_called_off(self, window, stage):
        stage.put(stories.plan("erp", "vm-9", warm=True), stories.status(None, conditions=[stories.READY]))
        migration = began(stage, "erp", stories.vm("vm-9", 1, 512))
        page = window.enter("/plans/erp")
        page.get_by_role("button", name="Cutover: erp").click()
        page.get_by_label("Later").check()
        page.get_by_label("Date and time").fill("2020-01-01T10:00")
        expect(page.get_by_role("button", name="Set cutover")).to_be_disabled()
        page.get_by_label("Date and time").fill("2099-01-01T10:00")
        page.get_by_role("button", name="Set cutover").click()
        expect(page.get_by_text("Copying, cutover scheduled")).to_be_visible()
        assert stage.get("migration", migration["metadata"]["name"])["spec"]["cutover"].startswith("2099-01-01T")

        page.get_by_role("button", name="Options of erp").click()
        page.get_by_role("menuitem", name="Cancel scheduled cutover").click()
        expect(page.get_by_text("Copying, cutover scheduled")).to_have_count(0)
        assert not stage.get("migration", migration["metadata"]["name"])["spec"].get("cutover")
        stage.remove("plan", "erp")
        stage.remove("migration", migration["metadata"]["name"])


class TestProviders:
    def test_a_provider_is_added_after_its_certificate_is_trusted(self, window, stage, console):
        page = window.enter("/providers")
        page.get_by_role("button", name="Add provider").click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_label("Name", exact=False).first.fill("lab")
        dialog.get_by_label("vCenter host name or IP address").fill(f"127.0.0.1:{console.port}")
        dialog.get_by_label("User name").fill("administrator@vsphere.local")
        dialog.get_by_label("Password").fill("not-to-be-seen")
        expect(dialog.get_by_role("button", name="Add", exact=True)).to_be_disabled()
        dialog.get_by_role("button", name="Verify certificate").click()
        expect(dialog.get_by_text("SHA-1 fingerprint")).to_be_visible()
        dialog.get_by_label("I trust the authenticity of this certificate").check()
        dialog.get_by_role("button", name="Add", exact=True).click()
        expect(page.get_by_role("dialog")).to_have_count(0)
        expect(page.get_by_role("row").filter(has_text="lab")).to_be_visible()

        provider = stage.get("provider", "lab")
        assert provider["spec"]["url"] == f"https://127.0.0.1:{console.port}/sdk"
        secret = stage.get("secret", provider["spec"]["secret"]["name"])
        assert set(secret["data"]) >= {"user", "password", "thumbprint"}
        assert secret["metadata"]["ownerReferences"][0]["uid"] == provider["metadata"]["uid"]
        assert "not-to-be-seen" not in page.content()

        page.get_by_role("button", name="Options of lab").click()
        page.get_by_role("menuitem", name="Remove").click()
        page.get_by_role("dialog").get_by_role("button", name="Remove").click()
        expect(page.get_by_role("row").filter(has_text="lab")).to_have_count(0)

    def test_what_is_wrong_with_a_provider_is_said(self, window, stage):
        stage.put(manifests.provider("broken", "https://broken.example.com/sdk"), {
            "phase": "ConnectionFailed",
            "conditions": [stories.condition("ConnectionTestFailed", "Critical", "User name or password is not accepted.")]})
        page = window.enter("/providers/vsphere")
        page.get_by_role("row").filter(has_text="broken").get_by_role("button", name=re.compile("^Critical")).click()
        expect(page.get_by_text("User name or password is not accepted.")).to_be_visible()
        stage.remove("provider", "broken")


class TestConnection:
    def test_a_server_that_falls_silent_is_noticed_and_so_is_its_return(self, window, console, stage, ready_plan):
        page = window.enter("/plans")
        expect(page.get_by_role("link", name="shop")).to_be_visible()
        console.freeze()
        try:
            expect(page.get_by_text("The connection to the server is lost")).to_be_visible()
            stage.put(stories.plan("later", "vm-1"), stories.status(None, conditions=[stories.READY]))
        finally:
            console.thaw()
        expect(page.get_by_text("The connection to the server is lost")).to_have_count(0)
        expect(page.get_by_role("link", name="later")).to_be_visible()
        stage.remove("plan", "later")

    def test_a_server_that_was_restarted_asks_to_sign_in_again(self, window, console, ready_plan):
        page = window.enter("/plans")
        expect(page.get_by_role("link", name="shop")).to_be_visible()
        console.stop()
        expect(page.get_by_text("The connection to the server is lost")).to_be_visible()
        console.start()
        expect(page.get_by_text("Your session has ended")).to_be_visible()
        window.complaints[:] = [text for text in window.complaints if not re.search("ERR_|502", text)]


PAGES = ["/overview", "/providers/vsphere", "/providers/vsphere/vcenter?tab=yaml", "/providers/openshift", "/inventory/vcenter/vms", "/plans", "/plans/create", "/plans/shop", "/plans/shop?tab=details",
         "/plans/shop?tab=report", "/plans/shop?tab=yaml", "/plans/erp", "/mappings/network", "/mappings/storage", "/settings", "/settings?tab=yaml"]


@pytest.fixture
def story(stage, ready_plan):
    """A cold plan with a VM that copies, one that stands still, one that waits and one that has failed; and a warm one before its cutover."""
    stalled = stories.vm("vm-3", 1, 410)
    stalled["pipeline"][1]["tasks"][0]["reason"] = "Stalled: no byte for 4 minutes"
    waiting = stories.vm("vm-4", -1)
    waiting["conditions"] = [stories.condition("Pending", message="Place 3 in the queue of host DC0_C0_H0: 20 disks are being read from it")]
    failed = stories.vm("vm-2", 2, ended="Failed", reason="The disk of web-2 does not fit. Raise controller_filesystem_overhead, free space or choose a larger storage class.")
    stage.put(stories.plan("shop", "vm-1", "vm-2", "vm-3", "vm-4", "vm-5"))
    began(stage, "shop", stories.vm("vm-1", 1, 300, disks=2), failed, stalled, waiting, stories.vm("vm-5", 4, ended="Succeeded"))
    warm = stories.vm("vm-9", 1, 1024)
    warm.update(phase="CopyingPaused", warm={"successes": 2, "failures": 0, "consecutiveFailures": 0, "nextPrecopyAt": timestamp(-1800), "precopies": [
        {"start": timestamp(5400), "end": timestamp(4200)}, {"start": timestamp(1800), "end": timestamp(1700)}]})
    warm["pipeline"][1]["annotations"]["expectedCopySeconds"] = "95"
    stage.put(stories.plan("erp", "vm-9", warm=True), stories.status(None, conditions=[stories.READY]))
    migration = began(stage, "erp", warm)
    yield
    stage.remove("plan", "erp")
    stage.remove("migration", migration["metadata"]["name"])


class TestAppearance:
    @pytest.mark.parametrize("scheme", ["light", "dark"])
    @pytest.mark.parametrize("width", [1280, 390])
    def test_each_page_fits_and_axe_finds_nothing_serious(self, new_window, story, width, scheme):
        window = new_window(width=width, height=900 if width > 400 else 844, scheme=scheme)
        page = window.page
        window.visit()
        page.locator("#token").wait_for()
        found = {}

        def look(name):
            window.shoot(f"{name}-{width}-{scheme}")
            found[name] = window.serious() + window.clipped() + (["wider than the window"] if window.overflows() else [])

        look("sign-in")
        window.enter("/welcome")
        look("welcome")
        for path in PAGES:
            window.visit(path)
            page.get_by_role("heading", level=1).wait_for()
            page.wait_for_timeout(800)
            if path == "/plans/shop":
                page.get_by_role("row").filter(has_text="web-2").get_by_role("button").first.click()
            look(path.strip("/").replace("/", "-").replace("?tab=", "-"))
            if path == "/plans/erp":
                page.get_by_role("button", name="Cutover: erp").click()
                expect(page.get_by_role("dialog")).to_contain_text("about 1 min 35 s")
                look("cutover")
        assert "\n".join(f"{path}: {problem}" for path, problems in found.items() for problem in problems) == ""
