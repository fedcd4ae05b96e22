"""`gantry copy` by itself against the vCenter: what an importer Pod does, without a cluster."""
import json
import subprocess

import pytest

from harness import waiting
from harness.migration import sha256, sha256_padded

SIZE = (96 << 20) + 3 * 512


@pytest.fixture
def vcenter(new_vcenter, random_disk, tmp_path):
    disk = random_disk(tmp_path / "source.raw", SIZE // 512)
    return new_vcenter(vms=[{"name": "vm", "disks": [{"file": str(disk)}], "nics": []}])


class Copy:
    """One disk's copier: its spec, its target and its state."""

    def __init__(self, gantry, vcenter, directory):
        self.gantry, self.directory, self.runs = gantry, directory, 0
        self.target, self.state = directory / "disk.img", directory / "state"
        self.state.mkdir()
        secret = directory / "secret"
        secret.mkdir()
        (secret / "user").write_text(vcenter.user)
        (secret / "password").write_text(vcenter.password)
        self.target.touch()
        with open(self.target, "r+b") as target:
            target.truncate(-(-SIZE // (1 << 20)) << 20)
        disk = vcenter.vms["vm"]["disks"][0]
        self.spec = {
            "version": 1, "disk": {"plan": "p", "vm": vcenter.vms["vm"]["id"], "id": "2000", "name": disk["path"], "size": SIZE},
            "source": {"type": "https", "url": vcenter.url, "datacenter": vcenter.datacenter, "datastore": "datastore1",
                       "path": disk["path"].split("] ")[1], "generation": "1"},
            "trust": {"fingerprint": vcenter.sha256}, "credentials": str(secret), "target": {"path": str(self.target)},
            "state": str(self.state), "fence": {"uid": "pod-1", "generation": 1}}

    def begin(self):
        self.runs += 1
        self.spec["fence"] = {"uid": f"pod-{self.runs}", "generation": self.runs}
        spec = self.directory / "spec.json"
        spec.write_text(json.dumps(self.spec))
        self.log = self.directory / f"log-{self.runs}"
        with open(self.log, "w", encoding="utf-8") as log:
            return subprocess.Popen([self.gantry, "copy", "--spec", spec], stdout=subprocess.PIPE, stderr=log, text=True)

    def run(self):
        """(exit code, result document)"""
        process = self.begin()
        out, _ = process.communicate(timeout=waiting.SHORT)
        assert "Sanitizer" not in self.log.read_text(), self.log.read_text()
        return process.returncode, json.loads(out.splitlines()[-1])


@pytest.fixture
def copy(gantry, vcenter, tmp_path):
    return Copy(gantry, vcenter, tmp_path)


def check_equal(copy, vcenter):
    assert sha256(copy.target) == sha256_padded(vcenter.file("vm", 0), copy.target.stat().st_size)


def test_the_copy_equals_the_source_and_leaves_no_session(copy, vcenter):
    code, result = copy.run()
    assert code == 0 and result["result"] == "Completed" and result["readBack"] == "equal" and result["size"] == SIZE
    check_equal(copy, vcenter)
    assert (copy.state / "2000.manifest").exists()
    log = vcenter.log()
    assert len(log["logins"]) == 1 and log["sessions"] == []
    assert vcenter.reads("vm", 0)["twice"] <= 4096, "more than the look at the first sectors was read twice"


def test_it_goes_on_after_sigkill(copy, vcenter):
    vcenter.fault("hold-after", match="-flat", bytes=SIZE // 2, count=-1)
    process = copy.begin()
    waiting.until("half of the disk", lambda: vcenter.log()["held"] > 0)
    for line in process.stdout:
        if json.loads(line).get("bytesDone"):  # in the target, and in the journal
            break
    process.kill()
    process.communicate()
    vcenter.lift()
    code, result = copy.run()
    assert code == 0 and 0 < result["resumedFrom"] < SIZE
    check_equal(copy, vcenter)


def test_broken_connections_and_busy_servers_are_survived(copy, vcenter):
    vcenter.fault("hold-after", match="-flat", bytes=SIZE // 4, count=-1)
    process = copy.begin()
    waiting.until("a quarter of the disk", lambda: vcenter.log()["held"] > 0)
    vcenter.fault("drop-mid-body", match="-flat", count=3)
    vcenter.fault("status", where="folder", match="-flat", status=503, count=3)
    vcenter.lift("hold-after")
    out, _ = process.communicate(timeout=waiting.SHORT)
    assert process.returncode == 0, out
    check_equal(copy, vcenter)


def test_a_session_that_ends_is_opened_again(copy, vcenter):
    vcenter.fault("hold-after", match="-flat", bytes=SIZE // 2, count=-1)
    process = copy.begin()
    waiting.until("half of the disk", lambda: vcenter.log()["held"] > 0)
    vcenter.fault("expire-sessions")
    vcenter.lift("hold-after")
    process.communicate(timeout=waiting.SHORT)
    assert process.returncode == 0
    check_equal(copy, vcenter)
    assert vcenter.log()["sessions"] == []


def test_the_disk_of_a_running_vm_is_not_copied(copy, vcenter):
    vcenter.power("vm", "on")
    process = copy.begin()
    waiting.until("refusal of the locked file", lambda: vcenter.log()["locked"])
    vcenter.power("vm", "off")
    process.communicate(timeout=waiting.SHORT)
    if process.returncode != 0:  # it may have given up, with an error that says to try again
        assert process.returncode in (75, 76, 77)
        assert copy.run()[0] == 0
    check_equal(copy, vcenter)


def test_a_wrong_password_is_tried_once_and_never_shown(copy, vcenter):
    (copy.directory / "secret/password").write_text("guess-me-not")
    code, result = copy.run()
    assert code == 1 and result["class"] == "fatal" and "password" in result["message"] + result["remedy"]
    assert [login["ok"] for login in vcenter.log()["logins"]] == [False]
    assert "guess-me-not" not in json.dumps(result) + copy.log.read_text()


def test_a_wrong_fingerprint_stops_it_before_the_password(copy, vcenter):
    copy.spec["trust"] = {"fingerprint": ":".join(["00"] * 32)}
    code, result = copy.run()
    assert code == 1 and vcenter.sha256 in result["message"]
    assert vcenter.log()["logins"] == []
