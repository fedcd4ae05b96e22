"""A story: requests to a Kubernetes API, one after the other, and what was answered, made comparable.

Two servers never answer alike to the letter: uids, times, versions and generated names differ. They are replaced by what has to be the
same: the n-th uid of this story, the n-th version, a time. Everything else is compared as it is.
"""
import http.client
import json
import re
import socket
import ssl
import time

STORIES = {}
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
AGE = re.compile(r"^\d+s$")
GENERATED = re.compile(r"\b([Gg]en[-_])[a-z0-9]{5}\b")  # stories that have names made up begin them so
IN_TEXT = re.compile(r"""(?<=ResourceVersion in record \()\d+(?=\))|(?<="resourceVersion":")\d+(?=")|(?<=resourceVersion\\":\\")\d+""")


def story(function):
    """Registers a story under its function's name."""
    STORIES[function.__name__] = function
    return function


class Server:
    """Where a story takes place: an address, the CA's file and the administrator's token."""

    def __init__(self, port, ca, token):
        self.port, self.token = port, token
        self.trust = ssl.create_default_context(cafile=ca)

    def connect(self, timeout=60):
        return http.client.HTTPSConnection("127.0.0.1", self.port, context=self.trust, timeout=timeout)


class Story:
    """The teller: story(step, METHOD, path, body) does a request and keeps the answer under the step's name."""

    def __init__(self, server, name):
        self.server, self.name, self.ns = server, name, name.replace("_", "-")
        self.answers, self.uids, self.versions = {}, {}, {}
        self.connection = None

    def tell(self):
        """Runs the story in a namespace of its own; gives {step: answer}."""
        self.raw("POST", "/api/v1/namespaces", {"metadata": {"name": self.ns}})
        self.wait(f"/api/v1/namespaces/{self.ns}/serviceaccounts/default")
        STORIES[self.name](self)
        self.raw("DELETE", f"/api/v1/namespaces/{self.ns}")
        if self.connection:
            self.connection.close()
        return self.answers

    # ---- requests

    def raw(self, method, path, body=None, type=None, accept="application/json", token=None, headers=None):
        """Status, headers and body of a request that is not kept."""
        sent = {"Authorization": f"Bearer {token or self.server.token}", "Accept": accept, "User-Agent": "story/1", **(headers or {})}
        if body is not None:
            sent["Content-Type"] = type or "application/json"
            if not isinstance(body, (str, bytes)):
                body = json.dumps(body)
        for _ in range(2):  # a kept connection may have been closed meanwhile
            fresh = not self.connection
            self.connection = self.connection or self.server.connect()
            try:
                self.connection.request(method, path.replace("{ns}", self.ns), body, sent)
                reply = self.connection.getresponse()
                text = reply.read()
                break
            except (http.client.HTTPException, OSError):
                self.connection.close()
                self.connection = None
                if fresh:
                    raise
        if reply.headers.get("Content-Type", "").startswith("application/json"):
            return reply.status, reply.headers, json.loads(text)
        return reply.status, reply.headers, text.decode(errors="replace")

    def __call__(self, step, method, path, body=None, keep=None, **how):
        """keep: a function that cuts out of the body what is to be compared. Gives the body as it came."""
        assert step not in self.answers, f"{self.name}: two steps are called {step}"
        status, headers, found = self.raw(method, path, body, **how)
        kept = keep(found) if keep and status < 400 else found
        answer = {"status": status, "type": headers.get("Content-Type", ""), "body": self.plain(kept)}
        if headers.get_all("Warning"):
            answer["warnings"] = [self.plain(text) for text in headers.get_all("Warning")]
        self.answers[step] = answer
        return found

    def note(self, step, value):
        """Keeps what the story found out by itself."""
        self.answers[step] = self.plain(value)

    def wait(self, path, gone=False, look=lambda body: True, seconds=60):
        """Until an object is there (or gone), which some controller makes so."""
        end = time.monotonic() + seconds
        while True:
            status, _, body = self.raw("GET", path)
            if (status == 404) if gone else (status == 200 and look(body)):
                return body
            if time.monotonic() > end:
                raise AssertionError(f"{self.name}: {path} is still {'there' if gone else 'not as it should be'}: {status} {body}")
            time.sleep(0.1)

    def watch(self, step, path, count=None, act=None, until=None, accept="application/json"):
        """Keeps the first events of a watch: so many, or until one of this type, or all there are until the server ends it. act is called when it runs."""
        connection = self.server.connect(timeout=30)
        events = []
        try:
            connection.request("GET", path.replace("{ns}", self.ns), headers={"Authorization": f"Bearer {self.server.token}", "Accept": accept})
            reply = connection.getresponse()
            if reply.status != 200:
                self.answers[step] = {"status": reply.status, "body": self.plain(json.loads(reply.read()))}
                return []
            if act:
                act()
            while count is None or len(events) < count:
                try:
                    line = reply.readline()
                except (TimeoutError, socket.timeout):
                    events.append("nothing more for 30 s")
                    break
                if not line:
                    break
                events.append(json.loads(line))
                if until and events[-1]["type"] == until:
                    break
        finally:
            connection.close()
        self.answers[step] = {"status": 200, "events": [self.plain(event) for event in events]}
        return events

    # ---- what is compared

    def text(self, text):
        text = GENERATED.sub(r"\1<random>", AGE.sub("<age>", IN_TEXT.sub("<version>", text)))
        text = UUID.sub(lambda found: f"<uid {self.uids.setdefault(found[0], len(self.uids) + 1)}>", text)
        text = TIME.sub("<time>", text)
        return text.replace(str(self.server.port), "<port>")

    def plain(self, value, key="", inside=""):
        if isinstance(value, dict):
            # A list's version is the server's, which also counts what others do.
            return {self.text(name): self.plain(member, "listVersion" if name == "resourceVersion" and ("items" in inside or "rows" in inside) else name,
                                                " ".join(value) if name == "metadata" else "") for name, member in value.items()}
        if isinstance(value, list):
            return [self.plain(member, key) for member in value]
        if not isinstance(value, str):
            return value
        if key == "resourceVersion":
            return f"<version {self.versions.setdefault(value, len(self.versions) + 1)}>"
        if key in ("listVersion", "continue", "token"):
            return f"<{key}>" if value else value
        return self.text(value)


# ---- comparing

def differences(expected, found, path=""):
    """[(path, expected, found)]: where two values differ."""
    if isinstance(expected, dict) and isinstance(found, dict):
        return [one for name in sorted(set(expected) | set(found))
                for one in differences(expected.get(name, "(absent)"), found.get(name, "(absent)"), f"{path}.{name}" if path else name)]
    if isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        return [one for n, (a, b) in enumerate(zip(expected, found)) for one in differences(a, b, f"{path}[{n}]")]
    return [] if expected == found and type(expected) is type(found) else [(path, expected, found)]
