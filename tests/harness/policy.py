"""Servers that judge VMs: ours and Open Policy Agent's own, each as a process of its own."""
import http.server
import json
import os
import pathlib
import re
import signal
import subprocess
import threading
import urllib.error
import urllib.parse
import urllib.request

from . import waiting
from .cluster import ROOT, SANITIZER, free_ports
from .vcenter import build_peer

VALIDATE = "io/konveyor/forklift/{}/validate"


def in_order(value):
    """A set is written in any order: lists of objects and of strings are compared sorted."""
    if isinstance(value, dict):
        return {key: in_order(one) for key, one in value.items()}
    if isinstance(value, list):
        return sorted(map(in_order, value), key=lambda one: json.dumps(one, sort_keys=True))
    return value


def ids_of_rules(package):
    """The ids of concerns that stand in the default rules."""
    found = set()
    for path in (ROOT / "policies/io/konveyor/forklift" / package).glob("*.rego"):
        if not path.name.endswith("_test.rego"):
            found |= {line.split('"')[3] for line in path.read_text(encoding="utf-8").splitlines() if line.strip().startswith('"id":')}
    return found


class Server:
    """A data API at self.url."""

    process = url = log_path = None

    def log(self):
        return self.log_path.read_text(encoding="utf-8", errors="replace")

    def ask(self, method, path, body=None):
        """Status and document of /v1/PATH; body is JSON text or an object."""
        data = body.encode() if isinstance(body, str) else None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}/{path}", data=data, method=method)
        try:
            with urllib.request.urlopen(request, timeout=waiting.SHORT) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as problem:
            text = problem.read()
            return problem.code, json.loads(text) if text.startswith(b"{") else None

    def concerns(self, package, document):
        status, answer = self.ask("POST", "v1/data/" + VALIDATE.format(package), {"input": document})
        assert status == 200, answer
        return answer["result"]["concerns"]

    def is_up(self):
        assert self.process.poll() is None, self.log()
        try:
            return self.ask("GET", "health")[0] == 200
        except urllib.error.URLError:
            return False

    def __enter__(self):
        waiting.until(lambda: f"a server: {self.log()}", self.is_up)
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=waiting.SHORT)


class Opa(Server):
    """The real one."""

    def __init__(self, files, directory=None):
        directory = pathlib.Path(directory or pathlib.Path(os.environ.get("TMPDIR", "/tmp")))
        self.log_path = directory / f"opa-{os.getpid()}.log"
        self.url = f"http://127.0.0.1:{free_ports(1)}"
        with open(self.log_path, "w", encoding="utf-8") as log:
            self.process = subprocess.Popen([build_peer("opa"), "run", "--server", "--disable-telemetry", "--log-level", "error",
                                             "--addr", self.url.split("//")[1], *map(str, files)], stdout=log, stderr=log)

    def __exit__(self, *arguments):
        super().__exit__(*arguments)
        self.log_path.unlink()


class Service(Server):
    """`gantry validation` over plain HTTP."""

    def __init__(self, gantry, rules, directory, *arguments, **environment):
        self.log_path = pathlib.Path(directory) / "validation.log"
        with open(self.log_path, "w", encoding="utf-8") as log:
            self.process = subprocess.Popen([gantry, "validation", "--policies", rules, "--listen", "127.0.0.1:0", *arguments],
                                            stdout=log, stderr=log, env={**os.environ, **environment})
        port = waiting.until(lambda: f"the validation service: {self.log()}", lambda: re.search(r"service ready.*port=(\d+)", self.log()))
        self.url = f"http://127.0.0.1:{port.group(1)}"

    def __exit__(self, *arguments):
        super().__exit__(*arguments)
        assert self.process.returncode == 0 and not SANITIZER.search(self.log()), self.log()[-4000:]


class FakeService:
    """A validation service that knows its rules, and answers every question about a VM with what it is told to."""

    def __init__(self):
        self.answer = (200, {})
        service = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def reply(self, status, body):
                text = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def do_GET(self):
                self.reply(200, {"result": {"rules_version": 5}})

            def do_POST(self):
                self.rfile.read(int(self.headers["Content-Length"]))
                self.reply(404, {}) if self.path.startswith("/v1/batch") else self.reply(*service.answer)

            def log_message(self, *arguments):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.thread = threading.Thread(target=self.server.serve_forever)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()
