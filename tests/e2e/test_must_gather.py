"""must-gather: what belongs to the plan in question is in the archive, and nothing else; no credential ever is."""
import io
import json
import re
import ssl
import subprocess
import tarfile
import urllib.error
import urllib.request

import pytest
import yaml

from harness import manifests, waiting
from harness.migration import Run

MEBIBYTE = 1 << 20
SPACE = "must-gather/namespaces"


@pytest.fixture(scope="module")
def vcenter(new_vcenter, random_disk, tmp_path_factory):
    """Two VMs that are off."""
    home = tmp_path_factory.mktemp("disks")
    vms = [{"name": name, "powerOn": False, "memoryMB": 64, "disks": [{"file": str(random_disk(home / name, 2 * MEBIBYTE // 512))}],
            "nics": [{"network": "VM Network", "mac": f"00:50:56:0c:00:0{n}"}]} for n, name in enumerate(("web", "shop"))]
    return new_vcenter(vms=vms)


@pytest.fixture(scope="module")
def migrated(module_cluster, vcenter):
    """A plan that was deleted and made anew with another VM, and one that has the first VM."""
    old = Run(module_cluster, vcenter, "shop", "again").prepare().start()
    old.finish()
    module_cluster.kubectl("delete", "migration,plan", "again", "-n", "openshift-mtv")
    new = Run(module_cluster, vcenter, "web", "again").prepare().start()
    new.finish()
    module_cluster.kubectl.apply(manifests.plan("other", "again", [{"name": "shop"}], network="again", storage="again"))
    return new


@pytest.fixture
def gather(gantry, cluster, migrated, tmp_path):
    """A function: gather(options…) gives (exit code, standard error, {path: text})."""
    def run(*options):
        archive = tmp_path / "archive.tar.gz"
        result = subprocess.run([gantry, "must-gather", "--kubeconfig", cluster.kubectl.kubeconfig, "--output", archive, *options],
                                text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
        files = {}
        if archive.exists():
            with tarfile.open(archive) as tar:
                files = {member.name: tar.extractfile(member).read().decode() for member in tar.getmembers()}
        assert all(files.values()), [path for path, text in files.items() if not text]  # empty logs are left out
        return result.returncode, result.stderr, files

    return run


def names(files, folder):
    return sorted(path[len(folder):] for path in files if path.startswith(folder))


def test_a_plan_brings_all_of_its_own_and_nothing_else(gather, vcenter):
    code, said, files = gather("--plan", "again")
    assert code == 0, said
    crs = {path.split("/")[4] for path in files if f"{SPACE}/openshift-mtv/crs/" in path}
    assert {"plan", "migration", "networkmap", "storagemap", "provider"} <= crs
    assert names(files, f"{SPACE}/openshift-mtv/crs/plan/") == ["again.yaml"]
    assert len(names(files, f"{SPACE}/default/crs/datavolume/")) == 1
    assert names(files, f"{SPACE}/default/crs/virtualmachine/") == ["web.yaml"]
    logs = names(files, f"{SPACE}/default/logs/")
    assert len([name for name in logs if name.startswith("importer-again-") and name.endswith("/current.log")]) == 1
    assert not [name for name in logs if "-" + vcenter.vms["shop"]["id"] + "-" in name]
    controller = next(text for path, text in files.items() if "/logs/forklift-controller-" in path)
    web, shop = vcenter.vms["web"]["id"], vcenter.vms["shop"]["id"]
    assert f"vm={web}" in controller and f"vm={shop}" not in controller
    assert set(re.findall(r" plan=(\S+)", controller)) == {"openshift-mtv/again"}
    record = yaml.safe_load(files[f"{SPACE}/openshift-mtv/inventory/again/{web}.yaml"])
    assert record["name"] == "web"
    assert "read back: equal" in files[f"{SPACE}/openshift-mtv/reports/again.txt"]
    assert yaml.safe_load(files["must-gather/versions.yaml"])["kubernetes"]["major"] == "1"
    assert "must-gather/notes.txt" not in files, files["must-gather/notes.txt"]


def test_an_object_is_as_kubectl_shows_it(gather, cluster):
    _, _, files = gather("--plan", "again")
    shown = cluster.kubectl.get("plan", "again")
    shown["metadata"].pop("managedFields", None)
    shown["metadata"].get("annotations", {}).pop("kubectl.kubernetes.io/last-applied-configuration", None)
    assert yaml.safe_load(files[f"{SPACE}/openshift-mtv/crs/plan/again.yaml"]) == shown


@pytest.mark.parametrize("options", [["--vm", "web"], ["--namespace", "default", "--vm", "web"]])
def test_a_vm_is_found_by_its_name(gather, options):
    code, said, files = gather(*options)
    assert code == 0, said
    assert names(files, f"{SPACE}/openshift-mtv/crs/plan/") == ["again.yaml"]


def test_everything_holds_all_plans_and_services_and_no_secret(gather, vcenter):
    code, said, files = gather()
    assert code == 0, said
    assert names(files, f"{SPACE}/openshift-mtv/crs/plan/") == ["again.yaml", "other.yaml"]
    assert {name.split("-")[1] for name in names(files, f"{SPACE}/openshift-mtv/logs/")} >= {"controller", "ui", "validation"}
    assert not [path for path in files if "/secret/" in path]
    for path, text in files.items():
        assert vcenter.password not in text, path
    named = {plan for path, text in files.items() if "/openshift-mtv/logs/" in path for plan in re.findall(r" plan=(\S+)", text)}
    assert "openshift-mtv/again" in named and all(len(plan.split("/")) == 2 for plan in named), named


@pytest.mark.parametrize("options, words", [
    (["--plan", "missing"], "PLAN=missing: there is no such Plan; there are: openshift-mtv/again, openshift-mtv/other"),
    (["--namespace", "missing"], "NS=missing: there is no such namespace"),
    (["--vm", "vm-0"], "VM=vm-0: no VM of this id or name stands in a Plan"),
    (["--targeted"], "none of NS, PLAN and VM is given"),
])
def test_what_does_not_exist_makes_no_archive(gather, options, words):
    code, said, files = gather(*options)
    assert code == 1 and words in said and not files


@pytest.fixture
def api(cluster):
    """A function: api(path, body=None, token=…) gives (status, bytes) of the must-gather API's Route."""
    kubeconfig = yaml.safe_load(cluster.kubectl.kubeconfig.read_text())
    own = kubeconfig["users"][0]["user"]["token"]
    trust = ssl.create_default_context(cafile=str(cluster.data / "pki/ca.crt"))

    def call(path, body=None, token=own):
        request = urllib.request.Request(f"https://127.0.0.1:{cluster.port + 4}{path}", headers={"Authorization": f"Bearer {token}"},
                                         data=json.dumps(body).encode() if body is not None else None)
        try:
            with urllib.request.urlopen(request, context=trust, timeout=waiting.SHORT) as reply:
                return reply.status, reply.read()
        except urllib.error.HTTPError as refused:
            return refused.code, refused.read()

    return call


def test_the_api_gathers_and_keeps_what_it_made(cluster, migrated, api):
    assert api("/must-gather", token="forged")[0] == 401
    status, answer = api("/must-gather", {"custom-name": "again", "command": "PLAN=again /usr/bin/targeted"})
    assert status == 201, answer
    gathering = json.loads(answer)["id"]

    def record():
        return json.loads(api("/must-gather/again")[1])

    waiting.until(lambda: f"an archive, but {record()}", lambda: record()["status"] == "completed")
    cluster.allow("cannot be reached")
    cluster.kubectl("rollout", "restart", "deployment/forklift-must-gather-api", "-n", "openshift-mtv")
    cluster.kubectl("rollout", "status", "deployment/forklift-must-gather-api", "-n", "openshift-mtv", f"--timeout={waiting.SHORT}s", timeout=waiting.LONG)

    def archive():
        try:
            status, data = api(f"/must-gather/{gathering}/data")
        except OSError:  # the Route does not have the new Pod yet
            return None
        return data if status == 200 else None

    with tarfile.open(fileobj=io.BytesIO(waiting.until("the archive after a restart", archive))) as tar:
        assert f"{SPACE}/openshift-mtv/crs/plan/again.yaml" in tar.getnames()
