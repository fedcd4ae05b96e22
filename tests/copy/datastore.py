"""A datastore browser as vCenter has it, small and breakable: /folder over TLS with byte ranges, and the API's login."""
import base64
import http.server
import os
import pathlib
import re
import socket
import ssl
import subprocess
import threading
import time
import urllib.parse

USER, PASSWORD = "administrator@vsphere.local", "pass word&1"

ENVELOPE = ('<?xml version="1.0"?><soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" '
            'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><soapenv:Body>%s</soapenv:Body></soapenv:Envelope>')
CONTENT = ('<RetrieveServiceContentResponse xmlns="urn:vim25"><returnval><rootFolder type="Folder">group-d1</rootFolder>'
           '<sessionManager type="SessionManager">SessionManager</sessionManager></returnval>'
           '</RetrieveServiceContentResponse>')
BAD_LOGIN = ('<soapenv:Fault><faultcode>ServerFaultCode</faultcode><faultstring>Cannot complete login due to an incorrect '
             'user name or password.</faultstring><detail><InvalidLoginFault xmlns="urn:vim25" xsi:type="InvalidLogin"/>'
             '</detail></soapenv:Fault>')


class Fault:
    """What goes wrong, how often, and from which range request on."""

    def __init__(self, kind, times=1, after=0, **more):
        self.kind, self.times, self.after, self.more = kind, times, after, more


class Datastore:
    """The server. files maps a path in /folder to a local file; faults go off in their order."""

    def __init__(self, directory, has_api=True, session_for_files=True):
        self.files, self.faults, self.ranges = {}, [], []
        self.logins, self.logouts, self.requests = 0, 0, 0
        self.has_api, self.session_for_files = has_api, session_for_files
        self.sessions, self.lock = set(), threading.Lock()
        self.rate = None  # bytes a second, over all connections
        self._budget_at = 0.0
        self.certificate = pathlib.Path(directory) / "server.pem"
        self.connections = set()
        self.new_certificate()
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.server.daemon_threads = True
        self.url = f"https://127.0.0.1:{self.server.server_port}/sdk"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def new_certificate(self):
        """Shows another certificate from now on; present connections end."""
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                        "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", self.certificate,
                        "-out", f"{self.certificate}.crt"], check=True, capture_output=True)
        self.ca = pathlib.Path(f"{self.certificate}.crt").read_text()
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(f"{self.certificate}.crt", self.certificate)
        self.cut_connections()

    def cut_connections(self):
        for connection in list(self.connections):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def fingerprint(self, algorithm="sha256"):
        import hashlib
        digest = hashlib.new(algorithm, ssl.PEM_cert_to_DER_cert(self.ca)).hexdigest().upper()
        return ":".join(digest[i:i + 2] for i in range(0, len(digest), 2))

    def add_disk(self, path, raw, sectors=None, cid="fffffffe", kind="VMFS"):
        """Puts a raw file behind a descriptor. sectors: what the descriptor claims."""
        name = pathlib.PurePosixPath(path)
        flat = name.with_name(name.stem + "-flat.vmdk")
        claimed = os.path.getsize(raw) // 512 if sectors is None else sectors
        text = ("# Disk DescriptorFile\nversion=1\nCID=%s\nparentCID=ffffffff\ncreateType=\"vmfs\"\n\n"
                "RW %d %s \"%s\"\n\nddb.adapterType = \"lsilogic\"\n" % (cid, claimed, kind, flat.name))
        descriptor = pathlib.Path(self.certificate.parent) / f"{name.stem}-{len(self.files)}.vmdk"
        descriptor.write_text(text)
        self.files[str(name)] = str(descriptor)
        self.files[str(flat)] = str(raw)

    def bytes_sent(self):
        return sum(size for _, size in self.ranges)

    def _take_fault(self):
        with self.lock:
            for fault in self.faults:
                if fault.times > 0 and len(self.ranges) >= fault.after:
                    fault.times -= 1
                    return fault
        return None

    def _wait_for_budget(self, size):
        if not self.rate:
            return
        with self.lock:
            now = time.monotonic()
            self._budget_at = max(self._budget_at, now - 0.01) + size / self.rate
            wait = self._budget_at - now
        if wait > 0:
            time.sleep(wait)

    def _handler(store):  # pylint: disable=no-self-argument
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def setup(self):
                self.request = store.context.wrap_socket(self.request, server_side=True)
                store.connections.add(self.request)
                super().setup()

            def finish(self):
                store.connections.discard(self.request)
                super().finish()

            def handle(self):
                try:
                    super().handle()
                except (ConnectionError, ssl.SSLError, OSError):
                    self.close_connection = True

            def log_message(self, *arguments):
                pass

            def answer(self, status, body=b"", headers=()):
                self.send_response(status)
                for name, value in headers:
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
                if self.path != "/sdk" or not store.has_api:
                    return self.answer(404)
                if "<RetrieveServiceContent" in body:
                    return self.answer(200, (ENVELOPE % CONTENT).encode())
                if "<Logout" in body:
                    store.logouts += 1
                    return self.answer(200, (ENVELOPE % '<LogoutResponse xmlns="urn:vim25"/>').encode())
                store.logins += 1
                if f"<password>{PASSWORD.replace('&', '&amp;')}</password>" not in body:
                    return self.answer(500, (ENVELOPE % BAD_LOGIN).encode())
                session = f"s{store.logins}"
                store.sessions.add(session)
                return self.answer(200, (ENVELOPE % '<LoginResponse xmlns="urn:vim25"/>').encode(),
                                   [("Set-Cookie", f'vmware_soap_session="{session}"; Path=/; HttpOnly; Secure')])

            def is_known(self):
                cookie = re.search(r'vmware_soap_session="(\w+)"', self.headers.get("Cookie", ""))
                if cookie and store.session_for_files and cookie.group(1) in store.sessions:
                    return True
                basic = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
                if self.headers.get("Authorization"):
                    store.logins += 1
                return self.headers.get("Authorization") == basic

            def do_GET(self):
                store.requests += 1
                parts = urllib.parse.urlsplit(self.path)
                query = urllib.parse.parse_qs(parts.query)
                if not self.is_known():
                    return self.answer(401, headers=[("WWW-Authenticate", "Basic")])
                path = store.files.get(urllib.parse.unquote(parts.path.removeprefix("/folder/")))
                if not path or query != {"dcPath": ["DC 0"], "dsName": ["store"]}:
                    return self.answer(404)
                size, wanted = os.path.getsize(path), self.headers.get("Range")
                if not wanted:
                    return self.answer(200, pathlib.Path(path).read_bytes())
                start, end = map(int, re.fullmatch(r"bytes=(\d+)-(\d+)", wanted).groups())
                if start >= size:
                    return self.answer(416)
                return self.send_range(path, start, min(end, size - 1) - start + 1, size)

            def send_range(self, path, start, length, size):
                fault = store._take_fault() or Fault(None)
                if fault.kind == "status":
                    return self.answer(fault.more["status"])
                if fault.kind == "forget sessions":
                    store.sessions.clear()
                    return self.answer(401)
                if fault.kind == "whole file":
                    return self.answer(200, b"x" * 1000)
                if fault.kind == "delay":
                    time.sleep(fault.more["seconds"])
                modified = self.date_time_string(os.stat(path).st_mtime)
                self.send_response(206)
                shift = 512 if fault.kind == "wrong range" else 0
                self.send_header("Content-Range", f"bytes {start + shift}-{start + shift + length - 1}/{size}")
                self.send_header("Content-Length", str(length - 512 if fault.kind == "short" else length))
                self.send_header("Last-Modified", modified)
                self.end_headers()
                with store.lock:
                    store.ranges.append((start, length))
                with open(path, "rb") as file:
                    file.seek(start)
                    left = length - 512 if fault.kind == "short" else length
                    stop = fault.more.get("at", length // 2) if fault.kind == "drop" else -1
                    while left:
                        if stop >= 0 and length - left >= stop:
                            self.close_connection = True
                            return self.request.close()
                        piece = file.read(min(left, 65536))
                        store._wait_for_budget(len(piece))
                        self.wfile.write(piece)
                        left -= len(piece)
                return None

        return Handler
