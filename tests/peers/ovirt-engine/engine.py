#!/usr/bin/env python3
"""An oVirt engine for tests, written from its REST API (https://ovirt.github.io/ovirt-engine-api-model/): what stock.py holds, with
strings for numbers and booleans, sub-collections for those who follow them, events, logins, power, and image transfers in front of the
real ovirt-imageio daemon. Prints one line of JSON when it is ready. README.md of the peers says what it lacks.
"""
import argparse
import base64
import http.server
import json
import pathlib
import re
import signal
import socket
import ssl
import sys
import threading
import time
import urllib.parse
import uuid

from backups import Backups
from certificates import Authority
from stock import API, KINDS, Stock, ref
from refused import Refused
from transfers import Daemon, Transfers, free_address

COLLECTIONS = {collection: (kind, followed) for kind, (collection, followed) in KINDS.items()}
PERMITS = ("shut_down_vm", "stop_vm", "run_vm", "edit_disk_properties", "backup_disk")
STARTED, DOWN, UPDATED, ADDED, REMOVED = 32, 61, 35, 34, 113


def scalars(value):
    """As the engine sends it: every number and boolean is a string; what begins with "_" is its own business."""
    if isinstance(value, dict):
        return {key: scalars(inner) for key, inner in value.items() if not key.startswith("_")}
    if isinstance(value, list):
        return [scalars(inner) for inner in value]
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if value is None or isinstance(value, str) else str(value)


class Fault:
    """Answers requests whose path matches with an error, so many times."""

    def __init__(self, kind, path="", times=1_000_000, status=503, seconds=0, method=""):
        self.kind, self.path, self.times, self.status, self.seconds, self.method = kind, re.compile(path), times, status, seconds, method


class Engine:
    """Everything behind the two front ends."""

    def __init__(self, config, directory, imageio):
        self.config, self.lock = config, threading.RLock()
        self.user, self.password = config.get("user", "admin@internal"), config.get("password", "s3cret & more")
        self.version = config.get("version", "4.5.4-1.el8")
        self.has_sso = config.get("sso", True)
        address = free_address()
        self.stock = Stock(config, address)
        self.events, self.tokens, self.faults = [], {}, []
        self.logins, self.requests, self.calls = [], 0, {}
        self.deaf = set()  # VMs whose guests do not shut down
        self.permits = list(PERMITS)
        self.event(1, "the engine has started")
        self.front = Authority(directory, "engine", "IP:127.0.0.1,DNS:localhost")
        hosts = Authority(directory, "imageio", f"IP:{address},DNS:" + config.get("transferHost", "host1.ovirt.test"))
        self.hosts_ca = hosts.ca
        self.backups = Backups(self, directory)
        self.transfers = Transfers(self, Daemon(imageio, directory / "imageio", hosts, address), directory, config)

    def event(self, code, description, **about):
        """about: kind="vm" object pairs, as {"vm": object}."""
        with self.lock:
            one = {"id": str(len(self.events) + 1), "code": code, "description": description, "severity": "normal",
                   "time": int(time.time() * 1000)}
            one["href"] = f"{API}/events/{one['id']}"
            one.update({kind: {**ref(kind, thing), "name": thing.get("name", "")} for kind, thing in about.items()})
            self.events.append(one)

    def set_disk_status(self, disk_id, status):
        self.stock.kinds["disk"][disk_id]["status"] = status

    def set_power(self, vm, status):
        with self.lock:
            now = int(time.time() * 1000)
            vm["status"] = status
            if status == "up":
                vm["host"] = ref("host", next(iter(self.stock.kinds["host"].values())))
                vm["start_time"] = now
                self.event(STARTED, f"VM {vm['name']} was started", vm=vm)
            elif status == "down":
                self.backups.power_lost(vm)
                vm.pop("host", None)
                vm["stop_time"] = now
                self.event(DOWN, f"VM {vm['name']} is down", vm=vm)

    def shut_down(self, vm):
        if vm["status"] != "up":
            raise Refused("[Cannot shutdown VM. VM is not running.]")
        if vm["name"] in self.deaf:
            return
        vm["status"] = "powering_down"
        threading.Timer(self.config.get("shutdownSeconds", 0.2), self.set_power, (vm, "down")).start()

    def take_fault(self, method, path):
        with self.lock:
            for fault in self.faults:
                if fault.kind == "status" and fault.times > 0 and fault.path.search(path) and fault.method in ("", method):
                    fault.times -= 1
                    return fault
        return None


class Handler(http.server.BaseHTTPRequestHandler):
    """What both front ends share."""
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    engine = None

    def log_message(self, *arguments):
        pass

    def answer(self, status, document=None, content_type="application/json", headers=()):
        body = b"" if document is None else document if isinstance(document, bytes) else json.dumps(scalars(document)).encode()
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def body(self):
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def json_body(self):
        return json.loads(self.body() or b"{}")


class FrontEnd(Handler):
    """The REST API over TLS."""

    def setup(self):
        self.request = self.server.context.wrap_socket(self.request, server_side=True)
        super().setup()

    def handle(self):
        try:
            super().handle()
        except (ssl.SSLError, OSError):
            self.close_connection = True

    def refuse(self, status, reason, detail):
        self.answer(status, {"reason": reason, "detail": detail})

    def do_GET(self):
        self.dispatch("GET")

    def do_POST(self):
        self.dispatch("POST")

    def do_DELETE(self):
        self.dispatch("DELETE")

    def dispatch(self, method):
        engine, parts = self.engine, urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(parts.query))
        engine.requests += 1
        if fault := engine.take_fault(method, self.path):
            self.body()
            time.sleep(fault.seconds)
            return self.answer(fault.status, b"<html>Service Unavailable</html>", "text/html")
        if parts.path == "/ovirt-engine/services/pki-resource":
            return self.answer(200, engine.front.ca.read_bytes(), "application/x-x509-ca-cert")
        if parts.path == "/ovirt-engine/sso/oauth/token" and method == "POST":
            return self.log_in()
        if parts.path == "/ovirt-engine/services/sso-logout" and method == "POST":
            engine.tokens.pop(dict(urllib.parse.parse_qsl(self.body().decode())).get("token"), None)
            return self.answer(200, {})
        if parts.path != API and not parts.path.startswith(API + "/"):
            return self.answer(404, b"", "text/html")
        if not self.is_known():
            self.body()
            return self.answer(401, b"", headers=[("WWW-Authenticate", 'Bearer realm="ovirt"')])
        steps = [step for step in parts.path[len(API):].split("/") if step]
        with engine.lock:
            engine.calls["/".join([method, *steps[:1], *steps[2:]])] = engine.calls.get("/".join([method, *steps[:1], *steps[2:]]), 0) + 1
            try:
                {"GET": lambda: self.get(steps, query), "POST": lambda: self.post(steps), "DELETE": lambda: self.delete(steps)}[method]()
            except Refused as refusal:
                self.refuse(409, "Operation Failed", str(refusal))
            except KeyError:
                self.refuse(404, "Operation Failed", f"{self.path} does not exist")

    # ---- who asks

    def log_in(self):
        form = dict(urllib.parse.parse_qsl(self.body().decode()))
        engine = self.engine
        if not engine.has_sso:
            return self.answer(404, b"", "text/html")
        good = form.get("grant_type") == "password" and form.get("scope") == "ovirt-app-api" and \
            form.get("username") == engine.user and form.get("password") == engine.password
        engine.logins.append({"ok": good, "by": "token", "user": form.get("username")})
        if not good:
            return self.answer(400, {"error": "access_denied", "error_code": "access_denied",
                                     "error_description": "Cannot authenticate user: invalid credentials"})
        token = uuid.uuid4().hex
        engine.tokens[token] = time.monotonic()
        return self.answer(200, {"access_token": token, "scope": "ovirt-app-api", "exp": "9223372036854775807", "token_type": "bearer"})

    def is_known(self):
        kind, _, value = self.headers.get("Authorization", "").partition(" ")
        if kind == "Bearer":
            return value in self.engine.tokens
        if kind != "Basic":
            return False
        given = base64.b64decode(value).decode()
        good = given == f"{self.engine.user}:{self.engine.password}"
        self.engine.logins.append({"ok": good, "by": "basic", "user": given.partition(":")[0]})
        return good

    # ---- reading

    def get(self, steps, query):
        if not steps:
            major, minor, build = re.match(r"(\d+)\.(\d+)\.(\d+)", self.engine.version).groups()
            return self.answer(200, {"product_info": {"name": "oVirt Engine", "vendor": "ovirt.org", "instance_id": "0000-engine", "version": {
                "major": int(major), "minor": int(minor), "build": int(build), "revision": 0, "full_version": self.engine.version}},
                "authenticated_user": {"id": "me"}})
        if steps[0] == "events":
            return self.answer(200, {"event": self.some_events(query)} if self.some_events(query) else {})
        if steps[0] == "imagetransfers":
            return self.get_transfers(steps)
        if steps[0] in ("users", "roles"):
            return self.answer(200, self.rights(steps))
        if steps[0] == "vms" and steps[2:] == ["diskattachments"]:
            return self.answer(200, self.engine.stock.kinds["vm"][steps[1]]["disk_attachments"])
        if steps[0] == "vms" and steps[2:] == ["numanodes"]:
            return self.answer(200, self.engine.stock.kinds["vm"][steps[1]].get("numa_nodes", {}))
        if steps[0] == "vms" and len(steps) > 2:
            return self.answer(200, self.engine.backups.get(steps[1], steps[2:]))
        kind, followed = COLLECTIONS[steps[0]]
        follow = {one.split(".")[0] for one in query.get("follow", "").split(",")}
        hidden = set(followed) - follow | {"numa_nodes"}  # the real one fails when it is told to follow those of a VM
        if len(steps) == 1:
            items = [self.shown(one, hidden) for one in self.engine.stock.kinds[kind].values()]
            return self.answer(200, {kind: items} if items else {})
        return self.answer(200, self.shown(self.engine.stock.kinds[kind][steps[1]], hidden))

    @staticmethod
    def shown(one, hidden):
        return {key: value for key, value in one.items() if key not in hidden}

    def some_events(self, query):
        codes = {int(code) for code in re.findall(r"type\s*=\s*(\d+)", query.get("search", ""))}
        after = int(query.get("from", 0))
        chosen = [one for one in reversed(self.engine.events) if int(one["id"]) > after and (not codes or one["code"] in codes)]
        return chosen[:int(query.get("max", 1000))]

    def rights(self, steps):
        """The account has one role on everything, and is in no group."""
        if steps == ["users", "me", "permissions"]:
            return {"permission": [{"id": "p1", "role": {"id": "r1"}, "user": {"id": "me"}}]}
        if steps == ["users", "me", "groups"]:
            return {}
        if steps == ["roles", "r1"]:
            return {"id": "r1", "name": "Migrator", "permits": {"permit": [{"name": name} for name in self.engine.permits]}}
        raise KeyError(steps)

    def get_transfers(self, steps):
        transfers = self.engine.transfers
        if len(steps) == 1:
            items = list(transfers.all.values())
            return self.answer(200, {"image_transfer": items} if items else {})
        return self.answer(200, transfers.look(transfers.all[steps[1]]))

    # ---- changing

    def post(self, steps):
        body = self.json_body()
        if steps[0] == "vms" and steps[2:3] == ["backups"]:
            return self.answer(200, self.engine.backups.post(steps[1], steps[3:], body))
        if steps[0] == "vms" and len(steps) == 3:
            return self.change_power(self.engine.stock.kinds["vm"][steps[1]], steps[2])
        transfers = self.engine.transfers
        if steps == ["imagetransfers"]:
            return self.answer(201, transfers.create(body))
        if steps[0] == "imagetransfers" and len(steps) == 3:
            one = transfers.all[steps[1]]
            {"extend": transfers.extend, "finalize": lambda one: transfers.finish(one, True),
             "cancel": lambda one: transfers.finish(one, False)}[steps[2]](one)
            return self.answer(200, {"status": "complete"})
        raise KeyError(steps)

    def delete(self, steps):
        if steps[0] != "vms" or steps[2] != "checkpoints":
            raise KeyError(steps)
        self.engine.backups.remove_checkpoint(steps[1], steps[3])
        return self.answer(200, {"status": "complete"})

    def change_power(self, vm, action):
        engine = self.engine
        if action == "shutdown":
            engine.shut_down(vm)
        elif action == "stop":
            if vm["status"] == "down":
                raise Refused("[Cannot stop VM. VM is not running.]")
            engine.set_power(vm, "down")
        elif action == "start":
            locked = [one for one in vm["disk_attachments"].get("disk_attachment", [])
                      if engine.stock.kinds["disk"][one["disk"]["id"]]["status"] == "locked"]
            if vm["status"] != "down":
                raise Refused("[Cannot run VM. VM is running.]")
            if engine.backups.is_open(vm):
                raise Refused(f"[Cannot run VM. The VM {vm['name']} is during a backup.]")
            if locked:
                raise Refused("[Cannot run VM: The following disks are locked. Please try again in a few minutes.]")
            engine.set_power(vm, "up")
        else:
            raise KeyError(action)
        return self.answer(200, {"status": "complete"})


class Control(Handler):
    """What a test says to the peer itself, in plain HTTP: /control/log, fault, power, lock, deaf, change, event."""

    def do_GET(self):
        engine = self.engine
        transfers = [{key: value for key, value in one.items() if not key.startswith("_")} for one in engine.transfers.history]
        document = {"logins": engine.logins, "requests": engine.requests, "calls": engine.calls, "transfers": transfers,
                    "left": list(engine.transfers.all), "tokens": len(engine.tokens), "backups": engine.backups.summary()}
        self.send(document)

    def send(self, document):
        self.answer(200, json.dumps(document).encode())

    def do_DELETE(self):
        self.engine.faults.clear()
        self.engine.deaf.clear()
        self.send({})

    def do_POST(self):
        engine, body = self.engine, self.json_body()
        getattr(self, self.path.rsplit("/", 1)[1])(engine, body)
        self.send({})

    def fault(self, engine, body):
        kind = body["kind"]
        if kind == "expire tickets":
            engine.transfers.drop_tickets()
        elif kind == "restart daemon":
            engine.transfers.daemon.kill()
            engine.transfers.daemon.start()
        elif kind == "forget tokens":
            engine.tokens.clear()
        elif kind == "deaf":
            engine.deaf.add(body["vm"])
        else:
            engine.faults.append(Fault(**body))

    def power(self, engine, body):
        engine.set_power(engine.stock.named("vm", body["vm"]), body["state"])

    def disk(self, engine, body):
        """Changes members of a VM's disk: {"vm", "disk": number, "json"}."""
        attachment = engine.stock.named("vm", body["vm"])["disk_attachments"]["disk_attachment"][body["disk"]]
        engine.stock.kinds["disk"][attachment["disk"]["id"]].update(body["json"])

    def write(self, engine, body):
        """The guest of a running VM begins to write to a disk: {"vm", "disk": number, "seed", "every": ms, "span": bytes}; "seed" null: it stops."""
        with engine.lock:
            engine.backups.write(engine.stock.named("vm", body["vm"]), body["disk"], body["seed"], body.get("every", 100), body.get("span", 1 << 62))

    def checkpoint(self, engine, body):
        """The checkpoints of a VM are lost, as when its host crashed: {"vm"}."""
        with engine.lock:
            engine.backups.lose_checkpoints(engine.stock.named("vm", body["vm"]))

    def change(self, engine, body):
        """Changes members of an object and says so in an event: {"kind", "name", "json", "code"}."""
        with engine.lock:
            one = engine.stock.named(body["kind"], body["name"])
            one.update(body["json"])
            engine.event(body.get("code", UPDATED), "changed", **{body["kind"]: one})

    def add(self, engine, body):
        with engine.lock:
            engine.event(ADDED, "added", vm=engine.stock.add_vm(body))

    def remove(self, engine, body):
        with engine.lock:
            vm = engine.stock.named("vm", body["vm"])
            del engine.stock.kinds["vm"][vm["id"]]
            engine.event(REMOVED, "removed", vm=vm)

    def permits(self, engine, body):
        engine.permits = body.get("permits", list(PERMITS))

    def password(self, engine, body):
        engine.password = body["password"]
        engine.tokens.clear()


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    address_family = socket.AF_INET


def main():
    parser = argparse.ArgumentParser(description="an oVirt engine for tests")
    parser.add_argument("--config", type=pathlib.Path, required=True)
    parser.add_argument("--dir", type=pathlib.Path, required=True, help="for certificates and sockets; a short path")
    parser.add_argument("--imageio", required=True, help="the ovirt-imageio program")
    parser.add_argument("--listen", default="127.0.0.1:0")
    options = parser.parse_args()
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    options.dir.mkdir(parents=True, exist_ok=True)
    engine = Engine(json.loads(options.config.read_text()), options.dir, options.imageio)
    address, port = options.listen.rsplit(":", 1)
    front = Server((address, int(port)), type("Front", (FrontEnd,), {"engine": engine}))
    front.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    front.context.load_cert_chain(engine.front.certificate, engine.front.key)
    control = Server(("127.0.0.1", 0), type("Back", (Control,), {"engine": engine}))
    for server in (front, control):
        threading.Thread(target=server.serve_forever, daemon=True).start()
    kinds = engine.stock.kinds
    print(json.dumps({
        "url": f"https://{address}:{front.server_port}{API}", "control": f"http://127.0.0.1:{control.server_port}",
        "user": engine.user, "engineCa": str(engine.front.ca), "imageioCa": str(engine.hosts_ca), "imageioAddress": engine.transfers.daemon.address,
        **{collection: {one["name"]: one["id"] for one in kinds[kind].values()}
           for collection, (kind, _) in COLLECTIONS.items() if kind not in ("disk_profile", "disk")},
        "disks": {vm["name"]: [one["disk"]["id"] for one in vm["disk_attachments"].get("disk_attachment", [])]
                  for vm in kinds["vm"].values() if not vm["name"].startswith("clone-")}}), flush=True)
    ended.wait()
    engine.transfers.stop()
    engine.backups.stop()
    sys.exit(0)


if __name__ == "__main__":
    main()
