"""What `gantry operator` installs, repairs, refuses and takes away, on one machine."""
import base64
import json

import pytest

from harness import manifests, waiting
from harness.cluster import condition_of

SERVICES = {"forklift-controller", "forklift-validation", "forklift-ui", "forklift-must-gather-api"}


def settings(kubectl, **spec):
    kubectl("patch", "forkliftcontroller", "forklift-controller", "-n", manifests.NAMESPACE, "--type=merge", "-p", json.dumps({"spec": spec}))


def names(kubectl, kind, selector=None):
    return {one["metadata"]["name"] for one in kubectl.get(kind, selector=selector)}


def gone(kubectl, kind, name):
    waiting.until(f"end of {kind}/{name}", lambda: kubectl.get(kind, name) is None)


def there(kubectl, kind, name):
    return waiting.until(f"{kind}/{name}", lambda: kubectl.get(kind, name))


def available(kubectl, name):
    def look():
        deployment = kubectl.get("deployment", name)
        return deployment and deployment.get("status", {}).get("availableReplicas") and deployment

    return waiting.until(f"deployment {name}", look)


def env_of(deployment, container):
    containers = deployment["spec"]["template"]["spec"]["containers"]
    return {item["name"]: item.get("value") for one in containers if one["name"] == container for item in one["env"]}


def test_it_installs_the_services_and_says_so(cluster, kubectl):
    assert names(kubectl, "deployments", "app=forklift") == SERVICES | {"forklift-operator"}
    assert {"virt", "forklift-inventory", "forklift-validation"} <= names(kubectl, "routes")
    kubectl.condition("forkliftcontroller", "forklift-controller", "Successful")
    kubectl.condition("forkliftcontroller", "forklift-controller", "Running")
    assert kubectl.get("provider", "host")["spec"]["type"] == "openshift"
    owners = {one["metadata"]["name"]: one["metadata"]["ownerReferences"][0]["kind"] for one in kubectl.get("deployments")
              if one["metadata"]["name"] in SERVICES}
    assert owners == dict.fromkeys(SERVICES, "ForkliftController")


def test_what_is_deleted_or_changed_is_repaired(cluster, kubectl):
    before = kubectl.get("service", "forklift-ui")["metadata"]["uid"]
    kubectl("delete", "service", "forklift-ui", "-n", manifests.NAMESPACE)
    waiting.until("a new Service", lambda: (kubectl.get("service", "forklift-ui") or {"metadata": {"uid": before}})["metadata"]["uid"] != before)
    kubectl("patch", "service", "forklift-ui", "-n", manifests.NAMESPACE, "--type=merge", "-p", '{"spec": {"selector": {"app.kubernetes.io/name": "another"}}}')
    waiting.until("the selector", lambda: kubectl.get("service", "forklift-ui")["spec"]["selector"] == {"app.kubernetes.io/name": "forklift-ui"})


def test_the_consoles_sign_in_has_one_secret(cluster, kubectl):
    """Also after somebody has taken the OAuthClient away, as the guide's 8.2 does; its address is the console's Route."""
    host = waiting.until("the Route's host", lambda: kubectl.get("route", "virt")["spec"].get("host"))
    secret = base64.b64decode(kubectl.get("secret", "forklift-ui-oauth")["data"]["secret"]).decode()
    kubectl("delete", "oauthclient", "forklift-ui")
    kubectl("annotate", "forkliftcontroller", "forklift-controller", "-n", manifests.NAMESPACE, "woken=true")
    client = there(kubectl, "oauthclient", "forklift-ui")
    assert client["secret"] == secret and client["redirectURIs"] == [f"https://{host}"]
    volumes = kubectl.get("deployment", "forklift-ui")["spec"]["template"]["spec"]["volumes"]
    assert [one["secret"]["secretName"] for one in volumes if one["name"] == "oauth"] == ["forklift-ui-oauth"]


def test_what_users_add_is_no_drift(cluster, kubectl):
    """Guide 6.1's neighbour: PRECOPY_INTERVAL in the controller's Deployment."""
    kubectl("set", "env", "deployment/forklift-controller", "-n", manifests.NAMESPACE, "-c", "main", "PRECOPY_INTERVAL=45")
    settings(kubectl, controller_container_limits_memory="801Mi")

    def look():
        containers = kubectl.get("deployment", "forklift-controller")["spec"]["template"]["spec"]["containers"]
        return containers[0]["resources"]["limits"]["memory"] == "801Mi"

    waiting.until("the new limit", look)
    assert env_of(kubectl.get("deployment", "forklift-controller"), "main")["PRECOPY_INTERVAL"] == "45"


def test_a_feature_that_is_off_is_not_there(cluster, kubectl):
    settings(kubectl, feature_must_gather_api="false")
    for kind in ("deployment", "service", "route"):
        gone(kubectl, kind, "forklift-must-gather-api")
    settings(kubectl, feature_must_gather_api=True)
    for kind in ("service", "route", "deployment"):
        there(kubectl, kind, "forklift-must-gather-api")


def test_a_value_that_cannot_be_used_is_named(cluster, kubectl):
    settings(kubectl, ui_container_limits_cpu="much")
    condition = kubectl.condition("forkliftcontroller", "forklift-controller", "InstallationSettingNotValid")
    assert condition["items"] == ["ui_container_limits_cpu: must be a quantity, like 500m or 800Mi"]
    settings(kubectl, ui_container_limits_cpu=None)
    waiting.until("end of the condition", lambda: not condition_of(kubectl.get("forkliftcontroller", "forklift-controller"),
                                                                   "InstallationSettingNotValid"))


def test_no_release_is_skipped(cluster, kubectl):
    cluster.allow("version 2.1.0 is installed")
    version = kubectl.get("deployment", "forklift-controller")["metadata"]["annotations"]["gantry.io/version"]
    kubectl("annotate", "--overwrite", "deployment/forklift-controller", "-n", manifests.NAMESPACE, "gantry.io/version=2.1.0")
    failure = kubectl.condition("forkliftcontroller", "forklift-controller", "Failure")
    assert "the next one is 2.2" in failure["message"]
    kubectl("annotate", "--overwrite", "deployment/forklift-controller", "-n", manifests.NAMESPACE, f"gantry.io/version={version}")
    kubectl.condition("forkliftcontroller", "forklift-controller", "Successful")


def test_the_deployment_of_another_installation_is_replaced(cluster, kubectl):
    cluster.allow("of another installation has not gone yet")
    settings(kubectl, feature_must_gather_api=False)
    gone(kubectl, "deployment", "forklift-must-gather-api")
    labels = {"app": "forklift", "service": "forklift-must-gather-api"}
    kubectl.apply({"apiVersion": "apps/v1", "kind": "Deployment",
                   "metadata": {"name": "forklift-must-gather-api", "namespace": manifests.NAMESPACE},
                   "spec": {"replicas": 0, "selector": {"matchLabels": labels}, "template": {
                       "metadata": {"labels": labels}, "spec": {"containers": [{"name": "main", "image": "quay.io/x/gantry:1"}]}}}})
    settings(kubectl, feature_must_gather_api=True)

    def ours():
        deployment = kubectl.get("deployment", "forklift-must-gather-api")
        return deployment and deployment["spec"]["selector"]["matchLabels"] == {"app": "forklift", "app.kubernetes.io/name": "forklift-must-gather-api"}

    waiting.until("our Deployment", ours)


def test_of_two_controllers_one_acts(cluster, kubectl):
    def pods():
        return {pod["metadata"]["name"]: {c["name"]: c["ready"] for c in pod["status"].get("containerStatuses", [])}
                for pod in kubectl.get("pods", selector="app.kubernetes.io/name=forklift-controller")}

    def holder(name):
        return kubectl.get("lease", name)["spec"]["holderIdentity"]

    def holder_that_is_ready():
        name = holder("forklift-inventory")
        return name if pods().get(name, {}).get("inventory") else None

    kubectl("rollout", "status", "deployment/forklift-controller", "-n", manifests.NAMESPACE, f"--timeout={waiting.SHORT}s", timeout=waiting.LONG)
    kubectl("scale", "--replicas=2", "deployment/forklift-controller", "-n", manifests.NAMESPACE)
    waiting.until("two Pods that run", lambda: len(pods()) == 2 and all("main" in ready for ready in pods().values()) and pods())
    first = waiting.until("a holder that is ready", holder_that_is_ready)
    second = next(name for name in pods() if name != first)
    waiting.until("its wait", lambda: "waits for the lease" in kubectl(  # no log before its container has begun
        "logs", second, "-n", manifests.NAMESPACE, "-c", "inventory", check=False).stdout)
    assert pods()[first]["inventory"] and not pods()[second]["inventory"] and holder("forklift-inventory") == first
    kubectl("delete", "pod", first, "-n", manifests.NAMESPACE)
    waiting.until("another holder", lambda: holder("forklift-inventory") not in (first, ""))
    waiting.until("another holder", lambda: holder("forklift-controller") not in (first, ""))
    kubectl("scale", "--replicas=1", "deployment/forklift-controller", "-n", manifests.NAMESPACE)


def test_without_its_forkliftcontroller_it_is_gone_and_comes_back(cluster, kubectl):
    kubectl("annotate", "provider", "host", "-n", manifests.NAMESPACE, "kept=true")
    manifest = kubectl.get("forkliftcontroller", "forklift-controller")
    kubectl("delete", "forkliftcontroller", "forklift-controller", "-n", manifests.NAMESPACE)
    for name in SERVICES:
        gone(kubectl, "deployment", name)
    assert kubectl.get("provider", "host")["metadata"]["annotations"]["kept"] == "true"
    kubectl.apply({"apiVersion": manifests.API, "kind": "ForkliftController", "spec": manifest["spec"],
                   "metadata": {"name": "forklift-controller", "namespace": manifests.NAMESPACE}})
    for name in SERVICES:
        available(kubectl, name)


@pytest.mark.parametrize("kind", ["clusterrole", "clusterrolebinding"])
def test_what_lies_in_no_namespace_goes_with_it(cluster, kubectl, kind):
    owned = [one for one in kubectl.get(kind, selector="app.kubernetes.io/part-of=gantry")]
    assert owned and all(one["metadata"]["ownerReferences"][0]["kind"] == "Namespace" for one in owned)
