"""Lists and watches: pages, selectors, shapes, versions."""
from story import story
from stories_objects import MAPS, MERGE, config_map

SECRETS = "/api/v1/namespaces/{ns}/secrets"
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"
PARTIAL = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io,application/json"
PARTIAL_ONE = "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io,application/json"


def secret(name, **labels):
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "labels": labels}, "type": "gantry/test"}


def names(body):
    return {"metadata": {**body["metadata"], "resourceVersion": "resourceVersion" in body["metadata"]}, "names": [item["metadata"]["name"] for item in body["items"]]}


def some(api):
    for n in range(5):
        api.raw("POST", SECRETS, secret(f"s{n}", number=str(n), half="low" if n < 3 else "high", **({"odd": ""} if n % 2 else {})))


@story
def pages(api):
    some(api)
    api("all", "GET", SECRETS)
    first = api("first", "GET", SECRETS + "?limit=2", keep=names)
    following = first["metadata"]["continue"]
    second = api("second", "GET", SECRETS + f"?limit=2&continue={following}", keep=names)
    api.raw("DELETE", SECRETS + "/s4")
    api("third", "GET", SECRETS + f"?limit=2&continue={second['metadata']['continue']}", keep=names)
    api("with selector", "GET", SECRETS + "?limit=1&labelSelector=odd", keep=names)
    api("nonsense", "GET", SECRETS + "?limit=2&continue=nonsense")
    api("nonsense limit", "GET", SECRETS + "?limit=x")
    api("negative limit", "GET", SECRETS + "?limit=-1", keep=names)
    api("continue and version", "GET", SECRETS + f"?limit=2&continue={following}&resourceVersion=1")
    api("any version", "GET", SECRETS + "?resourceVersion=0", keep=names)
    api("nonsense version", "GET", SECRETS + "?resourceVersion=x")
    api("match without version", "GET", SECRETS + "?resourceVersionMatch=Exact")
    api("nonsense match", "GET", SECRETS + "?resourceVersion=1&resourceVersionMatch=Nonsense")
    api("empty", "GET", "/api/v1/namespaces/{ns}/pods")
    api("in no namespace", "GET", "/api/v1/namespaces/nowhere/pods")


@story
def selectors(api):
    some(api)
    for text in ("half=low", "half==low", "half!=low", "half in (low,high)", "half notin (low)", "odd", "!odd", "half=low,odd", "number>2", "number<2",
                 "odd=", "none", "a b", "half in low", "=x", "half=a=b", ",", "half=low,"):
        api(f"label {text}", "GET", SECRETS + "?labelSelector=" + text.replace(" ", "%20").replace(">", "%3E").replace("<", "%3C"), keep=names)
    for text in ("metadata.name=s1", "metadata.name!=s1", "metadata.name==s1,metadata.namespace=selectors", "type=gantry/test", "spec.none=x", "metadata.name",
                 "metadata.name=s1,type=none"):
        api(f"field {text}", "GET", SECRETS + "?fieldSelector=" + text, keep=names)
    api("field of a Pod", "GET", "/api/v1/namespaces/{ns}/pods?fieldSelector=status.phase=Running,spec.nodeName=n,spec.restartPolicy=Always", keep=names)
    api("no field of a Pod", "GET", "/api/v1/namespaces/{ns}/pods?fieldSelector=spec.image=x", keep=names)
    api("field of a Namespace", "GET", "/api/v1/namespaces?fieldSelector=status.phase=Active,metadata.name=selectors", keep=names)
    api("field of an Event", "GET", "/api/v1/namespaces/{ns}/events?fieldSelector=involvedObject.kind=Pod,reason=x,type=Normal", keep=names)
    api("field of a Job", "GET", "/apis/batch/v1/namespaces/{ns}/jobs?fieldSelector=status.successful=1", keep=names)


@story
def shapes(api):
    some(api)
    api("partial list", "GET", SECRETS, accept=PARTIAL)
    api("partial", "GET", SECRETS + "/s1", accept=PARTIAL_ONE)
    api("table", "GET", SECRETS, accept=TABLE)
    api("table of one", "GET", SECRETS + "/s1", accept=TABLE)
    api("table without objects", "GET", SECRETS + "?includeObject=None&limit=1", accept=TABLE)
    api("table with objects", "GET", SECRETS + "?includeObject=Object&limit=1", accept=TABLE)
    api("nonsense objects", "GET", SECRETS + "?includeObject=Nonsense", accept=TABLE)
    for path in ("/api/v1/namespaces/{ns}/pods", "/apis/apps/v1/namespaces/{ns}/deployments", "/apis/batch/v1/namespaces/{ns}/jobs",
                 "/api/v1/namespaces/{ns}/persistentvolumeclaims", "/api/v1/persistentvolumes", "/api/v1/namespaces/{ns}/services", "/api/v1/namespaces/{ns}/events",
                 "/apis/storage.k8s.io/v1/storageclasses", "/apis/apps/v1/namespaces/{ns}/replicasets", "/apis/coordination.k8s.io/v1/namespaces/{ns}/leases",
                 "/apis/rbac.authorization.k8s.io/v1/namespaces/{ns}/roles", "/apis/rbac.authorization.k8s.io/v1/namespaces/{ns}/rolebindings", "/api/v1/nodes"):
        api(f"columns of {path.rsplit('/', 1)[1]}", "GET", path + "?limit=1", accept=TABLE,
            keep=lambda body: [{name: column[name] for name in ("name", "type", "format", "priority")} for column in body["columnDefinitions"]])
    api("nonsense as", "GET", SECRETS + "/s1", accept="application/json;as=Nonsense;v=v1;g=meta.k8s.io")


@story
def watches(api):
    start = api.raw("GET", SECRETS)[2]["metadata"]["resourceVersion"]
    some(api)
    change = lambda: (api.raw("PATCH", SECRETS + "/s0", {"metadata": {"labels": {"half": "high"}}}, type=MERGE), api.raw("DELETE", SECRETS + "/s1"))
    api.watch("all", SECRETS + f"?watch=true&resourceVersion={start}", count=7, act=change)
    api.watch("selected", SECRETS + f"?watch=true&resourceVersion={start}&labelSelector=half%3Dlow", count=5)
    api.watch("from now on", SECRETS + "?watch=1&fieldSelector=metadata.name%3Ds2", count=2, act=lambda: api.raw("DELETE", SECRETS + "/s2"))
    api.watch("any", SECRETS + "?watch=true&resourceVersion=0&timeoutSeconds=1")
    api.watch("one object", SECRETS + "/s3?watch=true&timeoutSeconds=1")
    api.watch("initial events", SECRETS + "?watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true", until="BOOKMARK")
    api.watch("initial events without match", SECRETS + "?watch=true&sendInitialEvents=true&allowWatchBookmarks=true", count=1)
    api.watch("partial", SECRETS + "?watch=true&timeoutSeconds=1&fieldSelector=metadata.name%3Ds3", accept=PARTIAL_ONE)
    api.watch("table", SECRETS + "?watch=true&timeoutSeconds=1", accept=TABLE)
    api.watch("gone", SECRETS + "?watch=true&resourceVersion=1&timeoutSeconds=1")
    api.watch("nonsense version", SECRETS + "?watch=true&resourceVersion=x", count=1)
    api.watch("bad selector", SECRETS + "?watch=true&labelSelector=a%20b", count=1)
    api.watch("match without events", SECRETS + "?watch=true&resourceVersion=1&resourceVersionMatch=Exact", count=1)


@story
def config_map_table(api):
    api.raw("POST", MAPS, config_map("x", {"a": "1", "b": "2"}))
    api("table", "GET", MAPS + "/x", accept=TABLE)
