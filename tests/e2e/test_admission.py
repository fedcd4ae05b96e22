"""What the API fills in and refuses, by kubectl and as a webhook that a cluster would call."""
import base64
import json
import ssl
import urllib.error
import urllib.request

import pytest

from harness import manifests, waiting
from harness.cluster import KubectlError

MAPS = {"network": {"name": "m", "namespace": "openshift-mtv"}, "storage": {"name": "m", "namespace": "openshift-mtv"}}


@pytest.fixture(scope="module")
def plan(module_cluster):
    module_cluster.kubectl.apply(manifests.plan("admitted", "nowhere", [{"name": "web"}]))
    return module_cluster.kubectl.get("plan", "admitted")


def refused(kubectl, manifest):
    with pytest.raises(KubectlError) as caught:
        kubectl("apply", "--validate=false", "-f", "-", stdin=json.dumps(manifest))
    return caught.value.stderr


def test_a_migration_gets_its_plans_uid_and_the_guides_cutover(cluster, kubectl, plan):
    """The guide prints spec.plan.cutover; clients read spec.cutover."""
    migration = manifests.migration("slip", "admitted")
    migration["spec"]["plan"]["cutover"] = "2021-04-04T01:23:45.678+09:00"
    kubectl.apply(migration)
    spec = kubectl.get("migration", "slip")["spec"]
    assert spec["plan"]["uid"] == plan["metadata"]["uid"] and "cutover" not in spec["plan"]
    assert spec["cutover"] == "2021-04-04T01:23:45.678+09:00"


@pytest.mark.parametrize("kind, warm", [("warm", True), ("cold", False), ("conversion", False)])
def test_type_and_warm_agree(cluster, kubectl, kind, warm):
    kubectl.apply(manifests.plan(f"of-{kind}", "nowhere", [{"name": "web"}], type=kind))
    assert kubectl.get("plan", f"of-{kind}")["spec"]["warm"] is warm


def test_a_key_that_nobody_knows_is_accepted(cluster, kubectl):
    """olm_managed stands in the guide's ForkliftController and nowhere else."""
    kubectl("patch", "forkliftcontroller", "forklift-controller", "-n", "openshift-mtv", "--type=merge", "-p",
            '{"spec": {"olm_managed": true, "nobody_knows_this": 1}}')
    assert kubectl.get("forkliftcontroller", "forklift-controller")["spec"]["olm_managed"] is True


def test_a_refusal_names_the_field(cluster, kubectl, plan):
    provider = manifests.provider("typed", "https://127.0.0.1:1/sdk")
    kubectl.apply(provider)
    assert "spec.type: 'vsphere' cannot become 'ovirt'" in refused(kubectl, {**provider, "spec": {**provider["spec"], "type": "ovirt"}})
    cluster.allow("typed|Secret|secret")
    assert "spec.settings.sdkEndpoint: 'host' must be" in refused(
        kubectl, {**provider, "spec": {**provider["spec"], "settings": {"sdkEndpoint": "host"}}})
    kubectl("patch", "plan", "admitted", "-n", "openshift-mtv", "--type=merge", "-p", '{"spec": {"archived": true}}')
    assert "spec.plan" in refused(kubectl, manifests.migration("late", "admitted"))
    with pytest.raises(KubectlError) as caught:
        kubectl("patch", "plan", "admitted", "-n", "openshift-mtv", "--type=merge", "-p", '{"spec": {"archived": false}}')
    assert "spec.archived" in caught.value.stderr


class Webhook:
    """What a cluster's API server does with Service forklift-api."""

    def __init__(self, cluster):
        service = cluster.kubectl.get("service", "forklift-api")
        trust = cluster.kubectl.get("configmap", "gantry-ca")["data"]["ca.crt"]
        self.url = f"https://{service['spec']['clusterIP']}:{service['spec']['ports'][0]['port']}"
        self.context = ssl.create_default_context(cadata=trust)
        self.context.check_hostname = False  # the certificate is the Service's name's

    def post(self, path, body):
        request = urllib.request.Request(self.url + path, data=body, method="POST", headers={"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=waiting.SHORT, context=self.context) as answer:
            return json.load(answer)

    def review(self, path, operation, resource, thing=None, before=None, user="admin"):
        return self.post(path, json.dumps({
            "apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {
                "uid": "705ab4f5", "operation": operation, "resource": {"group": "forklift.konveyor.io", "version": "v1beta1", "resource": resource},
                "userInfo": {"username": user}, "object": thing, "oldObject": before}}).encode())["response"]


@pytest.fixture(scope="module")
def webhook(module_cluster):
    waiting.until("the webhook's Pod", lambda: any(
        all(status["ready"] for status in pod["status"].get("containerStatuses", [])) and pod["status"].get("containerStatuses")
        for pod in module_cluster.kubectl.get("pod", selector="app.kubernetes.io/name=forklift-controller")))
    return Webhook(module_cluster)


def test_the_webhook_patches_and_refuses_as_the_api_does(cluster, kubectl, plan, webhook):
    kubectl.apply(manifests.plan("hooked", "nowhere", [{"name": "web"}]))
    uid = kubectl.get("plan", "hooked")["metadata"]["uid"]
    answer = waiting.until("an answer", lambda: answered(webhook, manifests.migration("m", "hooked")))
    assert answer["allowed"] and answer["uid"] == "705ab4f5"
    [change] = json.loads(base64.b64decode(answer["patch"]))
    assert change["path"] == "/spec" and change["value"]["plan"]["uid"] == uid
    no = webhook.review("/validate", "CREATE", "migrations", manifests.migration("m", "admitted"))
    assert not no["allowed"] and no["status"]["code"] == 403 and "spec.plan" in no["status"]["message"]


def answered(webhook, migration):
    try:
        return webhook.review("/mutate", "CREATE", "migrations", migration)
    except (ConnectionError, urllib.error.URLError):
        return None


def test_the_webhook_refuses_what_is_no_review(cluster, webhook):
    for body in (b"", b"{}", b"nonsense"):
        with pytest.raises(urllib.error.HTTPError) as caught:
            webhook.post("/validate", body)
        assert caught.value.code == 400
