"""The console in a real browser: `gantry up` behind it, and a script that plays the controllers by writing statuses."""
import base64
import json
import os
import pathlib
import re
import signal
import ssl
import subprocess
import urllib.request

import pytest
from harness import waiting
from harness.cluster import ROOT, free_ports
from playwright.sync_api import Error, expect, sync_playwright

# Hang guards: how long a page may take before it has certainly given up, also on a machine that does much else.
GUARD = waiting.SHORT * 1000
expect.set_options(timeout=GUARD)

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync"]
NETWORK_CHANGED = "ERR_NETWORK_CHANGED"
UI = pathlib.Path(os.environ.get("GANTRY_UI", ROOT / "ui/dist"))
SCREENSHOTS = ROOT / ".cache/screenshots"
AXE = ROOT / "ui/node_modules/axe-core/axe.min.js"


# What cannot be read: elements that hide a part of what they hold, and offer no tooltip. What scrolls with buttons of its own (tabs) or is a field
# to type in is excepted, so are the margins of a form's buttons, and what only screen readers see (a pixel).
CLIPPED = """() => [...document.querySelectorAll('body *')].filter((element) => {
  if (element.matches('input, textarea, select, svg *, .pf-v6-c-tabs, .pf-v6-c-tabs__list, .pf-v6-c-form__group.pf-m-action') || !element.checkVisibility({visibilityProperty: true})) return false;
  if (element.clientWidth < 2 || element.clientHeight < 2 || element.closest('[title]')) return false;
  const { overflowX, overflowY } = getComputedStyle(element);
  return (overflowX !== 'visible' && element.scrollWidth > element.clientWidth + 1)
    || (['hidden', 'clip'].includes(overflowY) && element.scrollHeight > element.clientHeight + 1);
}).map((element) => `${element.tagName.toLowerCase()}.${element.getAttribute('class')} ${element.clientWidth}x${element.clientHeight} holds `
  + `${element.scrollWidth}x${element.scrollHeight}: ${element.textContent.slice(0, 60)}`)"""


class Console:
    """One `gantry console` in front of a cluster's API."""

    def __init__(self, gantry, cluster, directory):
        self.gantry, self.cluster, self.directory = gantry, cluster, pathlib.Path(directory)
        self.port = free_ports(1)
        self.url = f"https://127.0.0.1:{self.port}"
        self.process = None
        config = json.loads(cluster.kubectl("config", "view", "--raw", "--minify", "-o", "json"))
        self.api = config["clusters"][0]["cluster"]["server"]
        self.token = config["users"][0]["user"]["token"]
        self.ca = self.data("certificate-authority", config["clusters"][0]["cluster"])
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                        "-keyout", self.directory / "tls.key", "-out", self.directory / "tls.crt", "-subj", "/CN=127.0.0.1",
                        "-addext", "subjectAltName=IP:127.0.0.1"], check=True, capture_output=True)

    def data(self, name, of):
        """A file of the kubeconfig, be it named or inline."""
        path = self.directory / "ca.crt"
        if name in of:
            return pathlib.Path(of[name])
        path.write_bytes(base64.b64decode(of[f"{name}-data"]))
        return path

    def start(self):
        log = open(self.directory / "console.log", "a", encoding="utf-8")
        environment = {**os.environ, "ASAN_OPTIONS": "detect_leaks=1"}
        self.process = subprocess.Popen(
            [self.gantry, "console", "--listen", f"127.0.0.1:{self.port}", "--tls-cert", self.directory / "tls.crt",
             "--tls-key", self.directory / "tls.key", "--api", self.api, "--api-ca", self.ca, "--inventory", self.api, "--ui", UI],
            stdout=log, stderr=subprocess.STDOUT, env=environment)
        log.close()
        waiting.until("console", self.answers)
        return self

    def answers(self):
        assert self.process.poll() is None, self.log()
        try:
            return urllib.request.urlopen(f"{self.url}/healthz", context=ssl._create_unverified_context(), timeout=5).status == 200
        except OSError:
            return False

    def freeze(self):
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self):
        self.process.send_signal(signal.SIGCONT)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(timeout=waiting.SHORT)
        assert code == 0, self.log()
        assert not re.search(r"Sanitizer|runtime error", self.log()), self.log()

    def log(self):
        return (self.directory / "console.log").read_text()


class Stage:
    """Plays the controllers: writes objects and their statuses through the API."""

    def __init__(self, kubectl):
        self.kubectl = kubectl

    def put(self, manifest, status=None):
        self.kubectl.apply(manifest)
        if status is not None:
            self.status(manifest["kind"], manifest["metadata"]["name"], status)

    def status(self, kind, name, status):
        self.kubectl("patch", kind, name, "-n", "openshift-mtv", "--subresource=status", "--type=merge", "-p",
                     json.dumps({"status": status}))

    def get(self, kind, name):
        return self.kubectl.get(kind, name)

    def remove(self, kind, name):
        """Also a plan that runs: nobody deletes one without ending it first."""
        if kind == "plan" and self.get(kind, name):
            self.status(kind, name, {"conditions": []})
        self.kubectl("delete", kind, name, "-n", "openshift-mtv", "--ignore-not-found", "--wait=false")


@pytest.fixture(scope="module")
def stage(module_cluster):
    kubectl = module_cluster.kubectl
    # From here on nobody but the test says how things are.
    kubectl("scale", "deployment", "forklift-controller", "-n", "openshift-mtv", "--replicas=0")
    waiting.until("end of the controllers",
                  lambda: not [pod for pod in kubectl.get("pods") if "forklift-controller" in pod["metadata"]["name"]])
    return Stage(kubectl)


@pytest.fixture(scope="module")
def console(gantry, module_cluster, stage, tmp_path_factory):
    one = Console(gantry, module_cluster, tmp_path_factory.mktemp("console")).start()
    yield one
    one.stop()


@pytest.fixture(scope="session")
def chromium():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        yield browser
        browser.close()


class Window:
    """A browser window that remembers everything it complained about."""

    def __init__(self, chromium, console, width=1280, height=900, scheme="light"):
        self.console = console
        self.context = chromium.new_context(viewport={"width": width, "height": height}, color_scheme=scheme, ignore_https_errors=True)
        self.context.set_default_timeout(GUARD)
        self.page = self.context.new_page()
        self.complaints = []
        self.page.on("console", self.hear)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def hear(self, message):
        """Keeps what the page complains about. That the inventory knows no VM of a made-up provider is as it should be; so is that a console
        of its own has no must-gather API beside it."""
        if message.type in ("error", "warning") and not re.search("/inventory-api/|/must-gather-api/", message.location["url"]) and NETWORK_CHANGED not in message.text:
            self.complaints.append(message.text)

    def visit(self, path=""):
        """Goes to a page. Chromium breaks off what it loads when another program makes a network interface, as virtual machines' tests do: then again."""
        for _ in range(20):
            try:
                return self.page.goto(self.console.url + path)
            except Error as error:
                if NETWORK_CHANGED not in str(error):
                    raise
        raise AssertionError("the machine's networks do not come to rest")

    def sign_in(self, token=None):
        self.visit()
        self.page.locator("#token").fill(token or self.console.token)
        self.page.get_by_role("button", name="Sign in").click()

    def enter(self, path="/plans"):
        """Signs in and goes to a page."""
        self.sign_in()
        self.page.get_by_role("button", name="Get started").wait_for()
        self.visit(path)
        self.page.get_by_role("heading", level=1).wait_for()
        return self.page

    def serious(self):
        """What axe finds serious on the page as it is."""
        self.page.evaluate(AXE.read_text())
        # The wizard's toggle is PatternFly's own, and its label cannot be changed.
        found = self.page.evaluate("axe.run({exclude: '.pf-v6-c-wizard__toggle'}, {resultTypes: ['violations']})")
        return [f"{v['id']}: {v['help']}: {v['nodes'][0]['html'][:200]}" for v in found["violations"] if v["impact"] in ("serious", "critical")]

    def overflows(self):
        return self.page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")

    def clipped(self):
        """What of the page is cut off or lies out of sight at its side."""
        return self.page.evaluate(CLIPPED)

    def shoot(self, name):
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=SCREENSHOTS / f"{name}.png")

    def close(self):
        self.context.close()


@pytest.fixture
def new_window(chromium, console):
    """A function that opens a window. What a page complains about (its content security policy first of all) fails the test."""
    opened = []

    def open_one(**how):
        window = Window(chromium, console, **how)
        opened.append(window)
        return window

    yield open_one
    complaints = [text for window in opened for text in window.complaints]
    for window in opened:
        window.close()
    assert not complaints, "\n".join(complaints)


@pytest.fixture
def window(new_window):
    return new_window()
