"""An archive of one plan from a real API server: the same objects, report and journal as on one machine."""
import json
import os
import subprocess
import tarfile

import pytest
import yaml

from harness.migration import Run

pytestmark = pytest.mark.skipif(os.environ.get("GANTRY_API") != "real", reason="needs the real kube-apiserver, which ./test real builds and starts")

SPACE = "must-gather/namespaces"


@pytest.fixture(scope="module")
def vcenter(new_vcenter, random_disk, tmp_path_factory):
    disk = random_disk(tmp_path_factory.mktemp("disks") / "web.raw", 4096)
    return new_vcenter(vms=[{"name": "web", "powerOn": False, "memoryMB": 64, "disks": [{"file": str(disk)}],
                             "nics": [{"network": "VM Network", "mac": "00:50:56:0c:01:01"}]}])


def test_a_plan_is_gathered_from_a_real_api(gantry, module_cluster, vcenter, tmp_path):
    """`gantry node` has no kubelet port, so that the API server cannot show logs, and the inventory has no Route by which it could be
    reached from here: the archive says so, and has everything else."""
    run = Run(module_cluster, vcenter, "web", "gathered").prepare().start()
    run.finish()
    archive = tmp_path / "archive.tar.gz"
    result = subprocess.run([gantry, "must-gather", "--kubeconfig", module_cluster.kubectl.kubeconfig, "--output", archive, "--plan", "gathered"],
                            text=True, capture_output=True, check=False)
    assert result.returncode == 0, result.stderr
    with tarfile.open(archive) as tar:
        files = {member.name: tar.extractfile(member).read().decode() for member in tar.getmembers()}
    crs = {tuple(path.split("/")[2:5:2]) for path in files if path.startswith(SPACE) and path.split("/")[3] == "crs"}
    assert {("openshift-mtv", kind) for kind in ("plan", "migration", "networkmap", "storagemap", "provider")} <= crs
    assert {("default", kind) for kind in ("datavolume", "persistentvolumeclaim", "pod", "virtualmachine")} <= crs
    assert "read back: equal" in files[f"{SPACE}/openshift-mtv/reports/gathered.txt"]
    plan = yaml.safe_load(files[f"{SPACE}/openshift-mtv/crs/plan/gathered.yaml"])
    assert plan["apiVersion"] == "forklift.konveyor.io/v1beta1" and "managedFields" not in plan["metadata"]
    for path, text in files.items():
        if "/crs/" in path:
            assert {"apiVersion", "kind", "metadata"} <= yaml.safe_load(text).keys(), path
    assert all(json.loads(line)["plan"] == "openshift-mtv/gathered" for path, text in files.items() if "/audit/" in path for line in text.splitlines())
    notes = [line for line in files["must-gather/notes.txt"].splitlines() if line]
    assert {line.split(" ")[0] for line in notes} == {"log", "inventory:"}, notes
    assert not [path for path in files if "/secret/" in path or vcenter.password in files[path]]
