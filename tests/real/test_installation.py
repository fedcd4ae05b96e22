"""Gantry on the real kube-apiserver: certificates of its own, an upgrade in place, and the uninstall of the guide's chapter 8."""
import json
import os

import pytest

from harness import manifests, waiting
from harness.cluster import condition_of

pytestmark = pytest.mark.skipif(os.environ.get("GANTRY_API") != "real", reason="needs the real kube-apiserver, which ./test real builds and starts")


def version(kubectl):
    return kubectl.get("deployment", "forklift-controller")["metadata"]["annotations"]["gantry.io/version"]


def test_it_is_installed_with_its_own_certificates_and_the_webhook_judges(cluster, kubectl):
    assert kubectl.get("secret", "forklift-ca") and kubectl.get("ingress", "virt")
    assert kubectl.get("provider", "host")["spec"]["type"] == "openshift"
    wrong = manifests.provider("wrong", "https://127.0.0.1:1/sdk")
    wrong["spec"]["settings"] = {"sdkEndpoint": "host"}
    refused = kubectl("apply", "-f", "-", stdin=json.dumps(wrong), check=False)
    assert refused.returncode and "forklift.konveyor.io\" denied the request" in refused.stderr and "spec.settings.sdkEndpoint" in refused.stderr, refused.stderr


def test_an_upgrade_in_place_keeps_objects_and_says_the_new_version(cluster, kubectl):
    """An installation of the release before is brought to this one; one older than that is refused."""
    now = version(kubectl)
    kubectl.apply(manifests.secret("kept", "u", "p"))
    kubectl("annotate", "--overwrite", "deployment/forklift-controller", "-n", manifests.NAMESPACE, "gantry.io/version=2.2.0")
    waiting.until("this version", lambda: version(kubectl) == now)
    assert kubectl.get("secret", "kept")
    cluster.allow("version 2.1.0 is installed")

    def refused():
        """The reconciliation that repaired the version may be under way still, and repair this one with what it read before."""
        kubectl("annotate", "--overwrite", "deployment/forklift-controller", "-n", manifests.NAMESPACE, "gantry.io/version=2.1.0")
        return condition_of(kubectl.get("forkliftcontroller", "forklift-controller"), "Failure")

    assert "the next one is 2.2" in waiting.until("the refusal of version 2.1.0", refused)["message"]
    kubectl("annotate", "--overwrite", "deployment/forklift-controller", "-n", manifests.NAMESPACE, f"gantry.io/version={now}")
    kubectl.condition("forkliftcontroller", "forklift-controller", "Successful")


def test_the_guides_uninstall_ends_and_leaves_nothing_of_the_cluster(cluster, kubectl):
    cluster.allow(".")  # services say what they miss while everything goes
    kubectl("delete", "namespace", manifests.NAMESPACE, timeout=waiting.LONG)
    definitions = [name for name in kubectl("get", "crd", "-o", "name").split() if "forklift" in name]
    assert definitions
    kubectl("delete", *definitions, timeout=waiting.LONG)
    for kind in ("clusterrole", "clusterrolebinding", "mutatingwebhookconfiguration", "validatingwebhookconfiguration"):
        waiting.until(f"end of each {kind} of ours", lambda wanted=kind: not [
            one["metadata"]["name"] for one in kubectl.get(wanted) if "forklift" in one["metadata"]["name"]])
    cluster.install()  # and it comes again
