"""What each kind is filled in with, and how the server describes itself."""
import json

from story import story
from stories_definitions import ROOT, defined, undefined, WIDGETS
from stories_objects import MERGE, config_map, deployment

POD = {"metadata": {"name": "p"}, "spec": {"containers": [{"name": "c", "image": "gantry:1", "ports": [{"containerPort": 80}], "env": [
    {"name": "IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}], "readinessProbe": {"httpGet": {"path": "/", "port": 80}}}],
    "automountServiceAccountToken": False, "volumes": [{"name": "s", "secret": {"secretName": "x"}}, {"name": "c", "configMap": {"name": "x"}}, {"name": "e", "emptyDir": {}},
                                                       {"name": "p", "persistentVolumeClaim": {"claimName": "x"}}]}}


@story
def filled_in(api):
    for kind, path, thing in (
            ("Pod", "/api/v1/namespaces/{ns}/pods", POD), ("Deployment", "/apis/apps/v1/namespaces/{ns}/deployments", deployment("d")),
            ("Job", "/apis/batch/v1/namespaces/{ns}/jobs", {"metadata": {"name": "j"}, "spec": {"suspend": True, "template": {"spec": {"restartPolicy": "Never", "containers": [
                {"name": "c", "image": "gantry"}]}}}}),
            ("Service", "/api/v1/namespaces/{ns}/services", {"metadata": {"name": "s"}, "spec": {"selector": {"a": "b"}, "ports": [{"port": 80}]}}),
            ("PersistentVolumeClaim", "/api/v1/namespaces/{ns}/persistentvolumeclaims", {"metadata": {"name": "c"}, "spec": {
                "accessModes": ["ReadWriteOnce"], "storageClassName": "none", "resources": {"requests": {"storage": "1Gi"}}}}),
            ("StorageClass", "/apis/storage.k8s.io/v1/storageclasses", {"metadata": {"name": "story"}, "provisioner": "story.gantry.io/none"}),
            ("PersistentVolume", "/api/v1/persistentvolumes", {"metadata": {"name": "story"}, "spec": {"capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"],
                                                                                                      "storageClassName": "none", "hostPath": {"path": "/none"}}}),
            ("Lease", "/apis/coordination.k8s.io/v1/namespaces/{ns}/leases", {"metadata": {"name": "l"}, "spec": {"holderIdentity": "me", "leaseDurationSeconds": 15}}),
            ("ServiceAccount", "/api/v1/namespaces/{ns}/serviceaccounts", {"metadata": {"name": "a"}}),
            ("Event", "/api/v1/namespaces/{ns}/events", {"metadata": {"name": "e"}, "involvedObject": {"kind": "Pod", "name": "p", "namespace": "filled-in"}, "reason": "R",
                                                          "message": "m", "type": "Normal", "count": 1})):
        api(kind, "POST", path + "?dryRun=All", thing)


@story
def refused(api):
    claim = {"metadata": {"name": "c"}, "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}}
    for title, path, thing in (
            ("Pod without containers", "pods", {"metadata": {"name": "p"}, "spec": {}}),
            ("Pod with twins", "pods", {"metadata": {"name": "p"}, "spec": {"automountServiceAccountToken": False, "containers": [{"name": "c", "image": "x"}] * 2}}),
            ("Pod without an image", "pods", {"metadata": {"name": "p"}, "spec": {"automountServiceAccountToken": False, "containers": [{"name": "c"}]}}),
            ("Pod with a bad policy", "pods", {"metadata": {"name": "p"}, "spec": {"restartPolicy": "x", "containers": [{"name": "c", "image": "x"}]}}),
            ("Pod with an unknown volume", "pods", {"metadata": {"name": "p"}, "spec": {"containers": [{"name": "c", "image": "x", "volumeMounts": [{"name": "v", "mountPath": "/"}]}]}}),
            ("Service without ports", "services", {"metadata": {"name": "s"}, "spec": {}}),
            ("Service with a bad port", "services", {"metadata": {"name": "s"}, "spec": {"ports": [{"port": 0}]}}),
            ("claim without a size", "persistentvolumeclaims", {**claim, "spec": {"accessModes": ["ReadWriteOnce"]}}),
            ("claim without modes", "persistentvolumeclaims", {**claim, "spec": {"resources": {"requests": {"storage": "1Gi"}}}}),
            ("claim of nonsense", "persistentvolumeclaims", {**claim, "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "much"}}}})):
        api(title, "POST", "/api/v1/namespaces/{ns}/" + path + "?dryRun=All", thing)
    api("claim", "POST", "/api/v1/namespaces/{ns}/persistentvolumeclaims", claim)
    api("claim is fixed", "PATCH", "/api/v1/namespaces/{ns}/persistentvolumeclaims/c", {"spec": {"accessModes": ["ReadWriteMany"]}}, type=MERGE)
    api("Job without a policy", "POST", "/apis/batch/v1/namespaces/{ns}/jobs", {"metadata": {"name": "j"}, "spec": {"template": {"spec": {"containers": [{"name": "c", "image": "x"}]}}}})


CORE = {"bindings", "configmaps", "events", "namespaces", "persistentvolumeclaims", "persistentvolumes", "pods", "pods/log", "pods/status", "secrets", "serviceaccounts", "services"}


@story
def discovery(api):
    resource = lambda one: {name: value for name, value in one.items() if name not in ("storageVersionHash",)}
    api("versions", "GET", "/api", keep=lambda body: {**body, "serverAddressByClientCIDRs": None})
    api("core", "GET", "/api/v1", keep=lambda body: {**body, "resources": sorted((resource(one) for one in body["resources"] if one["name"] in CORE - {"bindings"}), key=lambda one: one["name"])})
    api("apps", "GET", "/apis/apps")
    api("groups", "GET", "/apis", keep=lambda body: [body["kind"], body["apiVersion"], [one for one in body["groups"] if one["name"] in ("apps", "batch", "rbac.authorization.k8s.io")]])
    api("batch", "GET", "/apis/batch/v1", keep=lambda body: sorted((resource(one) for one in body["resources"] if one["name"].startswith("jobs")), key=lambda one: one["name"]))
    api("unknown group", "GET", "/apis/nonsense.io")
    api("unknown version", "GET", "/apis/apps/v9")
    api("aggregated", "GET", "/apis", accept="application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList",
        keep=lambda body: [body["kind"], body["apiVersion"], [one for one in body["items"] if one["metadata"]["name"] == "coordination.k8s.io"][0]["versions"][0]["resources"][-1]["verbs"]])
    api("version", "GET", "/version", keep=lambda body: [body["major"], body["minor"], body["gitVersion"].split("+")[0]])
    for path in ("/healthz", "/livez", "/readyz"):
        api(path, "GET", path)


def json_of(body):
    return json.loads(body) if isinstance(body, str) else body


@story
def openapi(api):
    """What kubectl reads of it: that a document is there, its kinds, and the schema of a custom kind."""
    defined(api)
    index = api.wait("/openapi/v3", look=lambda body: "apis/story.gantry.io/v1" in json_of(body)["paths"])
    index = json_of(index)["paths"]
    api.note("index", {path: "serverRelativeURL" in index.get(path, {}) for path in ("api/v1", "apis/apps/v1", "apis/story.gantry.io/v1", "apis/nonsense/v1")})
    path = index["apis/story.gantry.io/v1"]["serverRelativeURL"]
    document = json_of(api.raw("GET", path)[2])
    schema = document["components"]["schemas"]["io.gantry.story.v1.Widget"]
    api.note("custom kind", {"spec": schema["properties"]["spec"], "members": sorted(schema["properties"]), "kind": schema["x-kubernetes-group-version-kind"]})
    item = document["paths"]["/apis/story.gantry.io/v1/namespaces/{namespace}/widgets/{name}"]
    api.note("verbs", {verb: item.get(verb, {}).get("x-kubernetes-action") for verb in ("get", "put", "patch", "delete")})
    api.note("writes take", sorted(one["name"] for one in item["patch"]["parameters"] if one.get("in") == "query" and one["name"] != "force"))
    undefined(api)
