"""What Gantry is installed from on a cluster: one file of manifests, and bundles for the Operator Lifecycle Manager."""
import re
import subprocess

import pytest
import yaml

from harness.cluster import ROOT
from harness.vcenter import build_peer

MANIFESTS = ROOT / "scripts/manifests"
VERSION = re.search(r"version: '([^']+)'", (ROOT / "meson.build").read_text(encoding="utf-8")).group(1)


def test_the_one_file_equals_its_parts():
    made = subprocess.run([MANIFESTS, "kubernetes"], check=True, text=True, stdout=subprocess.PIPE).stdout
    assert made == (ROOT / "deploy/kubernetes.yaml").read_text(encoding="utf-8"), "run scripts/manifests kubernetes > deploy/kubernetes.yaml"


def test_every_account_of_the_services_is_made():
    made = {one["metadata"]["name"] for one in yaml.safe_load_all((ROOT / "deploy/operator/accounts.yaml").read_text(encoding="utf-8"))}
    used = set()
    for path in [*(ROOT / "deploy/services").glob("*.yaml"), ROOT / "deploy/operator/operator.yaml"]:
        used |= set(re.findall(r"serviceAccountName: (\S+)", path.read_text(encoding="utf-8")))
    assert used == made


def test_every_image_is_of_this_version():
    images = set(re.findall(r"quay\.io/gantry/gantry:[\w.]+", (ROOT / "deploy/kubernetes.yaml").read_text(encoding="utf-8")))
    assert images == {f"quay.io/gantry/gantry:{VERSION}"}


@pytest.fixture(scope="module")
def bundles(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bundles")
    subprocess.run([MANIFESTS, "bundle", folder], check=True)
    return folder


@pytest.mark.parametrize("version", ["2.3.0", VERSION])
def test_a_bundle_is_valid_to_olms_own_library(bundles, version):
    judged = subprocess.run([build_peer("olm"), bundles / version / "manifests"], check=False, text=True, stdout=subprocess.PIPE)
    assert judged.returncode == 0 and judged.stdout == f"valid: mtv-operator.{version}\n", judged.stdout


def test_the_newer_replaces_the_one_that_the_guide_starts_with(bundles):
    def service_version(version):
        return yaml.safe_load((bundles / version / "manifests/mtv-operator.clusterserviceversion.yaml").read_text(encoding="utf-8"))

    assert service_version(VERSION)["spec"]["replaces"] == service_version("2.3.0")["metadata"]["name"]
    for version in ("2.3.0", VERSION):
        annotations = yaml.safe_load((bundles / version / "metadata/annotations.yaml").read_text(encoding="utf-8"))["annotations"]
        assert annotations["operators.operatorframework.io.bundle.package.v1"] == "mtv-operator"
        assert annotations["operators.operatorframework.io.bundle.channels.v1"] == "release-v2.3.0"
