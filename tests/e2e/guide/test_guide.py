"""The guide as a scoreboard: its commands and manifests, in its order, on one machine with stock kubectl.

guide.yaml lists them. A command is run as printed, with the placeholders filled as a reader would; `oc` is kubectl under that name,
with the plugins of deploy/oc. What is not there yet is skipped, with the reason, and so is counted.
"""
import os
import pathlib
import re
import shutil
import subprocess

import pytest
import yaml

from harness import waiting
from harness.cluster import ROOT

HERE = pathlib.Path(__file__).parent
STEPS = yaml.safe_load((HERE / "guide.yaml").read_text(encoding="utf-8"))

class Reader:
    """Somebody who follows the guide: a shell that keeps its variables, and what stands for the placeholders."""

    def __init__(self, cluster, vcenter, home):
        self.cluster, self.vcenter = cluster, vcenter
        (home / "oc").symlink_to(shutil.which("kubectl"))
        environment = {**os.environ, "PATH": f"{home}:{ROOT}/deploy/oc:{os.environ['PATH']}", "HOME": str(home),
                       "KUBECONFIG": str(cluster.kubectl.kubeconfig)}
        self.home, self.environment = home, environment
        (home / "variables").touch()

    def run(self, command):
        """Standard output and error of a command, in a shell that knows the variables set before."""
        script = f". {self.home}/variables\n{command}\ncode=$?\nset | grep ^TOKEN= > {self.home}/variables\nexit $code"
        result = subprocess.run(["sh", "-c", script], env=self.environment, cwd=self.home, text=True,
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                timeout=waiting.LONG, check=False)
        return result.returncode, result.stdout

    def values(self):
        """What {names} in fill and expect stand for; read anew, as objects come and go."""
        provider = self.cluster.kubectl.get("provider", "vcenter") or {"metadata": {}}
        pods = self.cluster.kubectl.get("pods")
        port = self.cluster.port
        return {
            "vcenter": re.sub(r"https://([^/]+)/.*", r"\1", self.vcenter.url),
            "fingerprint": self.vcenter.sha1, "user": self.vcenter.user, "password": self.vcenter.password,
            "network_id": self.vcenter.networks["VM Network"], "network_name": "VM Network",
            "datastore_id": next(iter(self.vcenter.datastores.values())), "vm_id": self.vcenter.vms["tiny"]["id"],
            "two_disks_id": self.vcenter.vms["two-disks"]["id"],
            "host_id": self.vcenter.hosts["DC0_H0"]["id"], "host_address": self.vcenter.hosts["DC0_H0"]["address"],
            "inventory": f"127.0.0.1:{port + 2}", "validation": f"127.0.0.1:{port + 3}",
            "provider_uid": provider["metadata"].get("uid", ""),
            "validation_pod": next((pod["metadata"]["name"] for pod in pods
                                    if pod["metadata"]["name"].startswith("forklift-validation-")), ""),
        }


@pytest.fixture(scope="module")
def reader(module_cluster, new_vcenter, tiny_guest, tmp_path_factory):
    home = tmp_path_factory.mktemp("reader")
    module_cluster.allow(r"cannot be reached: [\w.-]+\.svc:")  # the guide restarts services; the others try again
    (home / "data.raw").write_bytes(bytes(1 << 20))
    data = {"file": str(home / "data.raw")}
    vcenter = new_vcenter(esxi={"user": "root", "password": "of the host"}, vms=[{"name": "two-disks", "disks": [data, data]}, {
        "name": "tiny", "powerOn": True, "memoryMB": 128, "cpus": 1, "hostName": "tiny", "ipAddress": "192.0.2.10",
        "disks": [{"file": str(tiny_guest(home / "boot.raw"))}],
        "nics": [{"network": "VM Network", "mac": "00:50:56:0b:00:01"}]}])
    return Reader(module_cluster, vcenter, home)


def fill(text, replacements, values):
    for placeholder, value in (replacements or {}).items():
        assert placeholder in text, f"{placeholder!r} does not stand in the guide's text"
        text = text.replace(placeholder, value.format(**values))
    return text


@pytest.mark.parametrize("step", [pytest.param(s, id=s["id"].replace(" ", "-")) for s in STEPS])
def test_guide(step, cluster, reader):
    if "skip" in step:
        pytest.skip(f"guide {step['id']}: {step['skip']}")
    values = reader.values()
    command = fill(step["text"], step.get("fill"), values)
    expected = re.compile(step["expect"].format(**values), re.MULTILINE)
    last = {}

    def look():
        last["code"], last["output"] = reader.run(command)
        return last["code"] == 0 and expected.search(last["output"])

    if "retry" in step:
        waiting.until(lambda: f"{expected.pattern!r} in the output of {command!r}: {last}", look, step["retry"])
    else:
        assert look(), f"{command}\nexit code {last['code']}, output:\n{last['output']}\nexpected {expected.pattern!r}"


def test_the_page_of_the_guide_s_coverage_is_current():
    page = subprocess.run([ROOT / "scripts/guide-coverage"], stdout=subprocess.PIPE, text=True, check=True).stdout
    assert (ROOT / "docs/guide-coverage.md").read_text(encoding="utf-8") == page, "scripts/guide-coverage > docs/guide-coverage.md"
