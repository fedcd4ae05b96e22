"""Forty running plans of 250 VMs each: how much a page asks for, and that a browser that watches for an hour needs no more memory at its end.

A simulated minute is four reports of progress of every VM of a plan. GANTRY_CONSOLE_MINUTES says how many pass (./test soak: 60)."""
import json
import os
import ssl
import statistics
import urllib.request

import pytest
from harness import manifests, stories
from playwright.sync_api import expect

PLANS, VMS = 40, 250
MINUTES = int(os.environ.get("GANTRY_CONSOLE_MINUTES", "10"))
REPORTS_PER_MINUTE = 4
LOOKS = 10  # at the heap; the first half is compared with the second
MOST_BYTES = 300_000
SLACK = 1.15, 3 << 20  # an hour's messages, kept, would be tens of megabytes


class Api:
    """The Kubernetes API without a process for each request: there are hundreds."""

    def __init__(self, console):
        self.base, self.token = console.api, console.token
        self.trust = ssl.create_default_context(cafile=console.ca)

    def send(self, method, path, body, kind="application/json"):
        request = urllib.request.Request(f"{self.base}/apis/forklift.konveyor.io/v1beta1/namespaces/{manifests.NAMESPACE}/{path}", json.dumps(body).encode(),
                                         {"Authorization": f"Bearer {self.token}", "Content-Type": kind}, method=method)
        with urllib.request.urlopen(request, context=self.trust, timeout=300) as answer:
            return json.load(answer)


class Fleet:
    """The plans, and how far their VMs are."""

    def __init__(self, api):
        self.api, self.migrations = api, {}

    def create(self, name):
        vms = [{"id": f"vm-{number}"} for number in range(VMS)]
        self.api.send("POST", "plans", manifests.plan(name, "vcenter", vms))
        self.migrations[name] = self.api.send("POST", "migrations", manifests.migration(f"{name}-1", name))
        self.report(name, 1)

    def report(self, name, done):
        """Every VM of the plan has copied done of 1000 MiB."""
        rows = [stories.vm(f"vm-{number}", 1, done, total=1000) for number in range(VMS)]
        self.api.send("PATCH", f"plans/{name}/status", {"status": stories.status(self.migrations[name], *rows)}, "application/merge-patch+json")


def names():
    return [f"wave-{number:02}" for number in range(PLANS)]


@pytest.fixture(scope="module")
def fleet(stage, console):
    stage.put({"apiVersion": manifests.API, "kind": "Provider", "metadata": {"name": "host", "namespace": manifests.NAMESPACE},
               "spec": {"type": "openshift", "url": "", "secret": {}}}, {"conditions": [stories.READY]})
    stage.put(manifests.provider("vcenter", "https://vcenter.example.com/sdk"), {"conditions": [stories.READY]})
    made = Fleet(Api(console))
    for name in names():
        made.create(name)
    return made


class Received:
    """Bytes of everything that a page asks for but the bundle, which browsers keep: as they come over the wire."""

    def __init__(self, page):
        self.urls, self.sizes = {}, {}
        self.session = page.context.new_cdp_session(page)
        self.session.send("Network.enable")
        self.session.on("Network.requestWillBeSent", lambda event: self.urls.update({event["requestId"]: event["request"]["url"]}))
        self.session.on("Network.dataReceived", self.add)

    def add(self, event):
        url = self.urls.get(event["requestId"], "")
        if "/assets/" not in url:
            self.sizes[url] = self.sizes.get(url, 0) + (event["encodedDataLength"] or event["dataLength"])

    def total(self):
        return sum(self.sizes.values())


def heap(session):
    """Bytes of what is still reachable."""
    for _ in range(3):
        session.send("HeapProfiler.collectGarbage")
    return session.send("Runtime.getHeapUsage")["usedSize"]


def shows(page, done):
    expect(page.get_by_role("progressbar", name="Disks: web-0")).to_have_attribute("aria-valuenow", str(done // 10))


class TestScale:
    @pytest.mark.parametrize("path, text", [("/overview", "wave-39"), ("/plans", "wave-00"), ("/plans/wave-07", "web-0")])
    def test_a_page_asks_for_less_than_300_kb(self, window, fleet, path, text):
        page = window.enter("/settings")
        received = Received(page)
        window.visit(path)
        expect(page.get_by_text(text, exact=True).first).to_be_visible()
        page.wait_for_timeout(1000)
        assert 0 < received.total() < MOST_BYTES, received.sizes

    def test_the_heap_does_not_grow_while_migrations_run(self, window, fleet):
        page = window.enter("/plans/wave-07")
        session = page.context.new_cdp_session(page)
        session.send("HeapProfiler.enable")
        reports = MINUTES * REPORTS_PER_MINUTE
        others, looks, done = [name for name in names() if name != "wave-07"], [], 0
        for look in range(LOOKS + 1):
            for number in range(look * reports // (LOOKS + 1), (look + 1) * reports // (LOOKS + 1)):
                done = 10 + number % 900
                fleet.report("wave-07", done)
                if number % REPORTS_PER_MINUTE == 0:
                    fleet.report(others[number // REPORTS_PER_MINUTE % len(others)], done)
            for place in ["Overview", "Migration plans"]:
                page.get_by_role("navigation", name="Main").get_by_role("link", name=place).click()
                expect(page.get_by_role("heading", level=1)).to_have_text(place)
            page.get_by_role("link", name="wave-07").click()
            shows(page, done)
            if look:  # the first is for what is made once
                looks.append(heap(session))
        early, late = statistics.median(looks[:LOOKS // 2]), statistics.median(looks[LOOKS // 2:])
        assert late < early * SLACK[0] + SLACK[1], f"the heap grew: {[round(size / 1e6, 1) for size in looks]} MB"
