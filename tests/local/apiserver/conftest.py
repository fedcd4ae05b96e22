"""A `gantry up --bare` for the tests of the Kubernetes API, and requests to it that kubectl would not send."""
import http.client
import json
import re
import ssl

import pytest

from harness.cluster import Cluster


class Api:
    """Plain HTTPS with the administrator's token."""

    def __init__(self, cluster):
        self.port = cluster.port
        self.token = (cluster.data / "pki/admin.token").read_text(encoding="ascii").strip()
        self.trust = ssl.create_default_context(cafile=cluster.data / "pki/ca.crt")

    def connect(self, timeout=120):
        return http.client.HTTPSConnection("127.0.0.1", self.port, context=self.trust, timeout=timeout)

    def __call__(self, method, path, body=None, token=None, **headers):
        """Status and body (JSON where it is)."""
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        headers["Authorization"] = "Bearer " + (self.token if token is None else token)
        if isinstance(body, (dict, list)):
            body = json.dumps(body)
            headers.setdefault("Content-Type", "application/json")
        connection = self.connect()
        try:
            connection.request(method, path, body, headers)
            reply = connection.getresponse()
            text = reply.read()
        finally:
            connection.close()
        if re.match("application/json", reply.headers.get("Content-Type", "")):
            return reply.status, json.loads(text)
        return reply.status, text.decode()

    def watch(self, path):
        """The events of a watch, as they come."""
        connection = self.connect()
        connection.request("GET", path, headers={"Authorization": f"Bearer {self.token}"})
        reply = connection.getresponse()
        assert reply.status == 200, reply.read()
        try:
            for line in reply:
                yield json.loads(line)
        finally:
            connection.close()


@pytest.fixture(scope="module")
def module_cluster(gantry, tmp_path_factory):
    cluster = Cluster(gantry, tmp_path_factory.mktemp("api"), "--bare")
    cluster.start()
    yield cluster
    try:
        assert cluster.stop() == 0, cluster.report()
        assert not cluster.complaints()
    finally:
        cluster.end_processes()


@pytest.fixture
def api(cluster):
    return Api(cluster)


@pytest.fixture
def namespace(kubectl, request):
    """A namespace of the test's own."""
    name = re.sub("[^a-z0-9]+", "-", request.node.name.lower()).strip("-")[:50]
    kubectl("create", "namespace", name)
    return name
