"""What people do with stock kubectl."""
import base64
import json
import subprocess

import pytest
import yaml

from harness import waiting

DEFINITION = {
    "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
    "metadata": {"name": "widgets.example.com"},
    "spec": {
        "group": "example.com", "scope": "Namespaced",
        "names": {"plural": "widgets", "kind": "Widget", "shortNames": ["wg"], "categories": ["all"]},
        "versions": [{
            "name": "v1", "served": True, "storage": True,
            "subresources": {"status": {}, "scale": {"specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas"}},
            "additionalPrinterColumns": [
                {"name": "Size", "type": "string", "jsonPath": ".spec.size"},
                {"name": "Ready", "type": "string", "jsonPath": '.status.conditions[?(@.type=="Ready")].status'},
                {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"}],
            "schema": {"openAPIV3Schema": {"type": "object", "properties": {
                "spec": {"type": "object", "required": ["size"], "properties": {
                    "size": {"type": "string", "enum": ["small", "large"], "description": "How big it is."},
                    "replicas": {"type": "integer", "default": 1, "minimum": 0},
                    "port": {"x-kubernetes-int-or-string": True},
                    "extra": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
                    "parts": {"type": "array", "items": {"type": "object", "required": ["id"],
                                                         "properties": {"id": {"type": "string"}}}}}},
                "status": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}}},
        }],
    },
}


@pytest.fixture(scope="module", autouse=True)
def definition(module_cluster):
    module_cluster.kubectl.apply(DEFINITION)


def widget(namespace, name="w", **spec):
    return {"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": name, "namespace": namespace},
            "spec": {"size": "small", **spec}}


def deployment(namespace, replicas=0):
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "namespace": namespace},
            "spec": {"replicas": replicas, "selector": {"matchLabels": {"app": "web"}},
                     "template": {"metadata": {"labels": {"app": "web"}},
                                  "spec": {"containers": [{"name": "web", "image": "localhost/gantry", "env": [{"name": "A", "value": "1"}]}]}}}}


def fails(kubectl, *arguments, stdin=None):
    result = kubectl(*arguments, stdin=stdin, check=False)
    assert result.returncode != 0, result.stdout
    return result.stderr


def refused(kubectl, manifest):
    return fails(kubectl, "apply", "-f", "-", stdin=yaml.safe_dump(manifest))


def test_apply_creates_once_and_changes_what_is_given(kubectl, namespace):
    config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c", "namespace": namespace}, "data": {"a": "1", "b": "2"}}
    assert "created" in kubectl.apply(config)
    assert "unchanged" in kubectl.apply(config)
    kubectl("label", "-n", namespace, "cm/c", "by=hand")
    config["data"] = {"a": "3"}
    assert "configured" in kubectl.apply(config)
    stored = kubectl.get("cm", "c", namespace)
    assert stored["data"] == {"a": "3"}
    assert stored["metadata"]["labels"] == {"by": "hand"}


def test_strategic_patches_merge_lists_by_their_keys(kubectl, namespace):
    kubectl.apply(deployment(namespace))
    kubectl("set", "env", "-n", namespace, "deployment/web", "B=2")
    kubectl("set", "image", "-n", namespace, "deployment/web", "web=localhost/gantry:2")
    container = kubectl.get("deployment", "web", namespace)["spec"]["template"]["spec"]["containers"][0]
    assert {e["name"]: e["value"] for e in container["env"]} == {"A": "1", "B": "2"}
    assert container["image"] == "localhost/gantry:2"


def test_every_kind_of_patch(kubectl, namespace):
    kubectl.apply(deployment(namespace))
    kubectl("patch", "-n", namespace, "deployment/web", "--type=json", "-p", '[{"op":"add","path":"/metadata/labels","value":{"x":"y"}}]')
    kubectl("patch", "-n", namespace, "deployment/web", "--type=merge", "-p", '{"spec":{"paused":true}}')
    kubectl("patch", "-n", namespace, "deployment/web", "-p", '{"spec":{"template":{"spec":{"terminationGracePeriodSeconds":5}}}}')
    stored = kubectl.get("deployment", "web", namespace)
    assert stored["metadata"]["labels"] == {"x": "y"} and stored["spec"]["paused"] is True
    assert stored["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] == 5
    assert "/spec/nothing" in fails(kubectl, "patch", "-n", namespace, "deployment/web", "--type=json",
                                    "-p", '[{"op":"remove","path":"/spec/nothing"}]')


def test_generation_counts_changes_of_the_desired_state_only(kubectl, namespace):
    kubectl.apply(widget(namespace))
    kubectl("annotate", "-n", namespace, "widget/w", "note=x")
    kubectl("patch", "-n", namespace, "widget/w", "--subresource=status", "--type=merge", "-p", '{"status":{"replicas":4},"spec":{"size":"large"}}')
    stored = kubectl.get("widget", "w", namespace)
    assert stored["metadata"]["generation"] == 1 and stored["status"] == {"replicas": 4} and stored["spec"]["size"] == "small"
    kubectl("patch", "-n", namespace, "widget/w", "--type=merge", "-p", '{"spec":{"size":"large"},"status":{"replicas":9}}')
    stored = kubectl.get("widget", "w", namespace)
    assert stored["metadata"]["generation"] == 2 and stored["status"] == {"replicas": 4}


def test_scale_and_its_subresource(kubectl, namespace):
    kubectl.apply(deployment(namespace), widget(namespace))
    kubectl("scale", "-n", namespace, "deployment/web", "--replicas=0", "--current-replicas=0")
    kubectl("scale", "-n", namespace, "widget/w", "--replicas=3")
    assert kubectl.get("widget", "w", namespace)["spec"]["replicas"] == 3
    kubectl("scale", "-n", namespace, "widget/w", "--replicas=0")
    assert kubectl.get("widget", "w", namespace)["spec"]["replicas"] == 0


def test_tables_have_the_columns_of_the_kind(kubectl, namespace):
    kubectl.apply(deployment(namespace), widget(namespace))
    lines = kubectl("get", "deployments", "-n", namespace, "-o", "wide").splitlines()
    assert lines[0].split() == ["NAME", "READY", "UP-TO-DATE", "AVAILABLE", "AGE", "CONTAINERS", "IMAGES", "SELECTOR"]
    assert lines[1].split()[:2] == ["web", "0/0"]
    lines = kubectl("get", "wg", "-n", namespace).splitlines()
    assert lines[0].split() == ["NAME", "SIZE", "READY", "AGE"] and lines[1].split()[:2] == ["w", "small"]
    assert "widget.example.com/w" in kubectl("get", "all", "-n", namespace, "-o", "name")


def test_selectors(kubectl, namespace):
    for name, colour in (("a", "red"), ("b", "blue"), ("c", "red")):
        kubectl.apply({**widget(namespace, name), "metadata": {"name": name, "namespace": namespace, "labels": {"colour": colour}}})

    def names(*arguments):
        return kubectl("get", "widgets", "-n", namespace, "-o", "name", *arguments).split()

    assert names("-l", "colour=red") == ["widget.example.com/a", "widget.example.com/c"]
    assert names("-l", "colour notin (red)") == ["widget.example.com/b"]
    assert names("--field-selector", "metadata.name=c") == ["widget.example.com/c"]
    assert names("-l", "colour=red", "--chunk-size=1") == ["widget.example.com/a", "widget.example.com/c"]


def test_secrets_show_what_was_written_plainly_as_base64(kubectl, namespace):
    kubectl.apply({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s", "namespace": namespace}, "stringData": {"user": "admin"}})
    stored = kubectl.get("secret", "s", namespace)
    assert base64.b64decode(stored["data"]["user"]) == b"admin" and "stringData" not in stored and stored["type"] == "Opaque"


def test_create_commands_write_protobuf(kubectl, namespace):
    kubectl("create", "secret", "generic", "s", "-n", namespace, "--from-literal=a=b")
    kubectl("create", "configmap", "c", "-n", namespace, "--from-literal=a=b")
    kubectl("create", "deployment", "d", "-n", namespace, "--image=localhost/gantry", "--replicas=0", "--port=80")
    kubectl("create", "service", "clusterip", "v", "-n", namespace, "--tcp=80:8080")
    assert kubectl.get("secret", "s", namespace)["data"] == {"a": "Yg=="}
    assert kubectl.get("deployment", "d", namespace)["spec"]["replicas"] == 0
    assert kubectl.get("service", "v", namespace)["spec"]["ports"][0]["targetPort"] == 8080


def test_names_can_be_generated(kubectl, namespace):
    manifest = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"generateName": "made-", "namespace": namespace}}
    first, second = (kubectl("create", "-f", "-", "-o", "name", stdin=yaml.safe_dump(manifest)).strip() for _ in range(2))
    assert first != second and first.startswith("configmap/made-")


def test_delete(kubectl, namespace):
    kubectl.apply(widget(namespace), widget(namespace, "w2"), widget(namespace, "w3"))
    assert "deleted" in kubectl("delete", "widget", "w", "-n", namespace)
    assert "not found" in fails(kubectl, "delete", "widget", "w", "-n", namespace)
    kubectl("delete", "widgets", "--all", "-n", namespace)
    assert kubectl.get("widgets", namespace=namespace) == []


def test_finalizers_hold_an_object_until_they_are_gone(kubectl, namespace):
    held = widget(namespace)
    held["metadata"]["finalizers"] = ["example.com/wait"]
    kubectl.apply(held)
    kubectl("delete", "widget", "w", "-n", namespace, "--wait=false")
    assert kubectl.get("widget", "w", namespace)["metadata"]["deletionTimestamp"]
    kubectl("patch", "widget", "w", "-n", namespace, "--type=merge", "-p", '{"metadata":{"finalizers":null}}')
    assert kubectl.get("widget", "w", namespace) is None


def test_a_namespace_brings_its_account_and_certificate(kubectl, namespace):
    assert kubectl.get("serviceaccount", "default", namespace)
    assert "BEGIN CERTIFICATE" in kubectl.get("configmap", "kube-root-ca.crt", namespace)["data"]["ca.crt"]


def test_watch_prints_changes(kubectl, namespace, cluster):
    kubectl.apply(widget(namespace))
    with subprocess.Popen(["kubectl", "get", "widgets", "-n", namespace, "-w", "--no-headers"], stdout=subprocess.PIPE, text=True,
                          env={"KUBECONFIG": str(cluster.data / "kubeconfig"), "PATH": __import__("os").environ["PATH"],
                               "HOME": str(cluster.directory)}) as watch:
        assert watch.stdout.readline().split()[:2] == ["w", "small"]
        kubectl("patch", "-n", namespace, "widget/w", "--type=merge", "-p", '{"spec":{"size":"large"}}')
        assert watch.stdout.readline().split()[:2] == ["w", "large"]
        watch.terminate()


def test_wait_for_a_condition(kubectl, namespace):
    kubectl.apply(widget(namespace))
    kubectl("patch", "-n", namespace, "widget/w", "--subresource=status", "--type=merge",
            "-p", '{"status":{"conditions":[{"type":"Ready","status":"True"}]}}')
    kubectl("wait", "-n", namespace, "--for=condition=Ready", "widget/w", f"--timeout={waiting.SHORT}s")


def test_server_side_apply_owns_fields(kubectl, namespace):
    def apply(manager, *flags, **data):
        manifest = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c", "namespace": namespace}, "data": data}
        return kubectl("apply", "--server-side", f"--field-manager={manager}", *flags, "-f", "-", stdin=yaml.safe_dump(manifest), check=False)

    assert apply("one", a="1", b="2").returncode == 0
    assert apply("two", c="3").returncode == 0
    conflict = apply("two", a="9", c="3")
    assert conflict.returncode != 0 and 'conflict with "one"' in conflict.stderr and ".data.a" in conflict.stderr
    assert apply("two", "--force-conflicts", a="9", c="3").returncode == 0
    assert apply("one", b="2").returncode == 0
    assert apply("one").returncode == 0
    assert kubectl.get("cm", "c", namespace)["data"] == {"a": "9", "c": "3"}


def test_explain(kubectl):
    assert "How big it is." in kubectl("explain", "widget.spec")
    assert "replicas" in kubectl("explain", "deployment.spec")


def test_who_am_i_and_what_may_i(kubectl):
    assert "system:admin" in kubectl("auth", "whoami")
    assert kubectl("auth", "can-i", "create", "pods").strip() == "yes"


def test_account_tokens(kubectl, namespace, api):
    token = kubectl("create", "token", "default", "-n", namespace).strip()
    assert api("GET", "/api/v1", token=token)[0] == 200
    assert api("GET", "/api/v1/namespaces", token=token)[0] == 403
    review = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "spec": {"token": token}}
    status, answer = api("POST", "/apis/authentication.k8s.io/v1/tokenreviews", review)
    assert status == 201 and answer["status"]["user"]["username"] == f"system:serviceaccount:{namespace}:default"
    kubectl("delete", "serviceaccount", "default", "-n", namespace)
    assert api("GET", "/api/v1/namespaces", token=token)[0] == 401


def test_dry_run_changes_nothing(kubectl, namespace):
    assert "created" in kubectl("apply", "-f", "-", "--dry-run=server", stdin=yaml.safe_dump(widget(namespace)))
    assert kubectl.get("widget", "w", namespace) is None


@pytest.mark.parametrize("change, said", [
    ({"size": "huge"}, ['spec.size', 'Unsupported value: "huge": supported values: "small", "large"']),
    ({"size": 3}, ["spec.size", "must be of type string"]),
    ({"replicas": -1}, ["spec.replicas", "greater than or equal to 0"]),
    ({"colour": "red"}, ['unknown field "spec.colour"']),
    ({"parts": [{"id": "a"}, {}]}, ["spec.parts[1].id", "Required value"]),
    ({"port": True}, ["spec.port", "integer or string"]),
])
def test_a_bad_field_is_named(kubectl, namespace, change, said):
    error = refused(kubectl, widget(namespace, **change))
    for words in said:
        assert words in error
    assert kubectl.get("widget", "w", namespace) is None


def test_bad_core_objects_are_refused(kubectl, namespace):
    bad = deployment(namespace)
    bad["spec"]["replicas"] = "three"
    assert "spec.replicas" in refused(kubectl, bad)
    bad = deployment(namespace)
    bad["spec"]["template"]["metadata"]["labels"] = {"app": "other"}
    assert "`selector` does not match template `labels`" in refused(kubectl, bad)
    bad = deployment(namespace)
    bad["spec"]["template"]["spec"]["containers"][0]["imagePulPolicy"] = "Always"
    assert 'unknown field "spec.template.spec.containers[0].imagePulPolicy"' in refused(kubectl, bad)
    assert "metadata.name" in refused(kubectl, widget(namespace, "Bad_Name"))
    assert 'namespaces "nowhere" not found' in refused(kubectl, widget("nowhere"))
    assert "no matches for kind" in refused(kubectl, {**widget(namespace), "kind": "Gadget"})


def test_a_removed_definition_takes_its_objects_along(kubectl, namespace, api):
    other = json.loads(json.dumps(DEFINITION).replace("widgets", "gears").replace("Widget", "Gear").replace('"wg"', '"gr"'))
    kubectl.apply(other)
    kubectl("wait", "--for=condition=Established", "crd/gears.example.com", f"--timeout={waiting.SHORT}s")
    kubectl.apply({**widget(namespace), "kind": "Gear"})
    kubectl("delete", "crd", "gears.example.com")
    assert api("GET", "/apis/example.com/v1/gears")[0] == 404
    kubectl.apply(other)
    assert kubectl.get("gears", namespace=namespace) == []
    kubectl("delete", "crd", "gears.example.com")
