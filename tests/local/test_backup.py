"""`gantry backup` and `restore`: what a backup holds that is made while somebody writes."""
import json
import ssl
import subprocess
import threading
import urllib.request

import pytest
import yaml

from harness import waiting
from harness.cluster import Cluster

MAPS = "/api/v1/namespaces/default/configmaps"


class Writer(threading.Thread):
    """Makes ConfigMaps n-0, n-1, … one after the other until it is told to stop; acknowledged says how many there are for certain."""

    def __init__(self, kubeconfig):
        super().__init__(daemon=True)
        config = yaml.safe_load(kubeconfig.read_text())
        self.server, self.token = config["clusters"][0]["cluster"]["server"], config["users"][0]["user"]["token"]
        self.trust = ssl.create_default_context(cafile=str(kubeconfig.parent / "pki/ca.crt"))
        self.acknowledged, self.stopping = 0, False

    def run(self):
        while not self.stopping:
            body = json.dumps({"metadata": {"name": f"n-{self.acknowledged}"}, "data": {"text": "x" * 1000}}).encode()
            request = urllib.request.Request(self.server + MAPS, data=body, method="POST", headers={
                "Authorization": f"Bearer {self.token}", "Content-Type": "application/json"})
            urllib.request.urlopen(request, timeout=waiting.SHORT, context=self.trust).close()
            self.acknowledged += 1


@pytest.fixture(scope="module")
def data(gantry, tmp_path_factory):
    """A cluster's directory, and how many objects were acknowledged before each backup of it was asked for and after it."""
    home = tmp_path_factory.mktemp("backup")
    cluster = Cluster(gantry, home, "--bare").start()
    writer = Writer(cluster.data / "kubeconfig")
    writer.start()
    seen = []
    for number in range(3):
        waiting.until("writes", lambda wanted=20 * (number + 1): writer.acknowledged >= wanted)
        before = writer.acknowledged
        run(gantry, "backup", "--data", cluster.data, home / f"backup-{number}")
        seen.append((before, writer.acknowledged + 1))  # one may be on its way
    writer.stopping = True
    writer.join()
    assert cluster.stop() == 0 and not cluster.complaints()
    return {"home": home, "data": cluster.data, "seen": seen, "all": writer.acknowledged}


def run(gantry, *arguments, code=0):
    result = subprocess.run([gantry, *arguments], text=True, capture_output=True, check=False)
    assert result.returncode == code, result.stderr
    return result.stderr


def numbers(cluster):
    return sorted(int(one["metadata"]["name"][2:]) for one in cluster.kubectl.get("configmaps", namespace="default")
                  if one["metadata"]["name"].startswith("n-"))


def test_a_backup_made_while_somebody_writes_is_the_state_of_one_moment(gantry, data):
    cluster, token = Cluster(gantry, data["home"], "--bare"), (data["data"] / "pki/admin.token").read_text()
    before, after = data["seen"][-1]
    for path in [*data["data"].glob("state.db*"), *data["data"].glob("pki/*")]:
        path.unlink()
    run(gantry, "restore", "--data", cluster.data, data["home"] / "backup-2")
    cluster.start()
    found = numbers(cluster)
    cluster.kubectl("create", "configmap", "new", "-n", "default")  # it goes on from there, for clients with the same token
    assert cluster.stop() == 0 and not cluster.complaints()
    assert found == list(range(len(found))) and before <= len(found) <= after
    assert (cluster.data / "pki/admin.token").read_text() == token


def test_a_cluster_that_stands_is_backed_up_too_and_nobody_else_may_read_it(gantry, data, tmp_path):
    run(gantry, "backup", "--data", data["data"], tmp_path / "one")
    assert (tmp_path / "one").stat().st_mode & 0o777 == 0o700
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in (tmp_path / "one").rglob("*") if path.is_file())


def test_nothing_is_written_over_and_half_a_backup_is_refused(gantry, data, tmp_path):
    assert "where nothing is yet" in run(gantry, "backup", "--data", data["data"], data["home"] / "backup-0", code=1)
    assert "has a state.db already" in run(gantry, "restore", "--data", data["data"], data["home"] / "backup-0", code=1)
    run(gantry, "backup", "--data", data["data"], tmp_path / "half")
    (tmp_path / "half/backup.json").unlink()
    assert "no whole backup" in run(gantry, "restore", "--data", tmp_path / "new", tmp_path / "half", code=1)
    assert "only there" in run(gantry, "restore", "--data", tmp_path / "new", data["home"] / "backup-0", code=1)
    assert not (tmp_path / "new").exists()
