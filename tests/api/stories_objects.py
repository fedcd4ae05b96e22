"""Objects: create, read, update, patch, delete, and what is refused."""
from story import story

MAPS = "/api/v1/namespaces/{ns}/configmaps"
MERGE, JSON, STRATEGIC, APPLY = ("application/merge-patch+json", "application/json-patch+json", "application/strategic-merge-patch+json",
                                 "application/apply-patch+yaml")


def config_map(name, data=None, **metadata):
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, **metadata}, "data": data or {"a": "1"}}


@story
def create_and_read(api):
    api("created", "POST", MAPS, config_map("one", labels={"app": "x"}, annotations={"note": "y"}))
    api("read", "GET", MAPS + "/one")
    api("created again", "POST", MAPS, config_map("one"))
    api("absent", "GET", MAPS + "/none")
    api("without kind", "POST", MAPS, {"metadata": {"name": "bare"}})
    api("empty", "POST", MAPS, {})
    api("no name", "POST", MAPS, config_map(""))
    api("with a version", "POST", MAPS, config_map("versioned", resourceVersion="1"))
    api("of another kind", "POST", MAPS, {**config_map("two"), "kind": "Secret"})
    api("of another version", "POST", MAPS, {**config_map("two"), "apiVersion": "v2"})
    api("of another namespace", "POST", MAPS, config_map("two", namespace="other"))
    api("in no namespace", "POST", "/api/v1/namespaces/nowhere/configmaps", config_map("two"))
    api("what the server sets", "POST", MAPS, config_map("set", uid="x", generation=7, creationTimestamp="2001-01-01T00:00:00Z", selfLink="/x"))
    api("yaml", "POST", MAPS, "metadata: {name: yaml}\ndata: {a: b}\n", type="application/yaml")
    api("unknown resource", "GET", "/api/v1/namespaces/{ns}/nonsense")
    api("unknown group", "GET", "/apis/nonsense.io/v1/things")
    api("unknown path", "GET", "/nonsense")
    api("unknown subresource", "GET", MAPS + "/one/status")
    api("put to the collection", "PUT", MAPS, config_map("one"))
    api("post to the object", "POST", MAPS + "/one", config_map("one"))


@story
def generated_names(api):
    made = api.raw("POST", MAPS, {"metadata": {"generateName": "gen-"}})[2]
    api.note("made", made)
    api("read", "GET", MAPS + "/" + made["metadata"]["name"])
    api("name wins", "POST", MAPS, config_map("named", generateName="gen-"))
    api("bad prefix", "POST", MAPS, {"metadata": {"generateName": "Gen_"}}, keep=lambda body: body)


@story
def bad_bodies(api):
    api("broken json", "POST", MAPS, "{", keep=None)
    api("no body", "POST", MAPS, "")
    api("a list", "POST", MAPS, "[]")
    api("unknown type", "POST", MAPS, "x", type="text/plain")
    api("unknown accept", "GET", MAPS + "/x", accept="text/plain")
    api("wrong type", "POST", MAPS, {"metadata": {"name": "x"}, "data": {"a": 1}})
    api("wrong type of metadata", "POST", MAPS, {"metadata": {"name": "x", "labels": "no"}})
    api("bad name", "POST", MAPS, config_map("Bad_Name"))
    api("long name", "POST", MAPS, config_map("n" * 254))
    api("bad label", "POST", MAPS, config_map("x", labels={"a b": "c"}))
    api("bad label value", "POST", MAPS, config_map("x", labels={"a": "b c"}))
    api("bad annotation", "POST", MAPS, config_map("x", annotations={"a b": "c"}))
    api("bad finalizer", "POST", MAPS, config_map("x", finalizers=["not qualified"]))
    api("bad key", "POST", MAPS, config_map("x", {"a/b": "c"}))
    api("bad owner", "POST", MAPS, config_map("x", ownerReferences=[{"apiVersion": "v1", "kind": "ConfigMap", "name": "y"}]))


@story
def field_validation(api):
    odd = {**config_map("x"), "spec": {"a": 1}, "immutabel": True}
    api("warn", "POST", MAPS + "?dryRun=All&fieldValidation=Warn", odd)
    api("default", "POST", MAPS + "?dryRun=All", odd)
    api("ignore", "POST", MAPS + "?dryRun=All&fieldValidation=Ignore", odd)
    api("strict", "POST", MAPS + "?dryRun=All&fieldValidation=Strict", odd)
    api("nonsense", "POST", MAPS + "?dryRun=All&fieldValidation=Nonsense", odd)
    api("twice, strict", "POST", MAPS + "?dryRun=All&fieldValidation=Strict", '{"metadata":{"name":"x"},"data":{"a":"1"},"data":{"b":"2"}}')
    api("twice, warn", "POST", MAPS + "?dryRun=All&fieldValidation=Warn", '{"metadata":{"name":"x"},"data":{"a":"1"},"data":{"b":"2"}}')
    api("metadata, strict", "POST", MAPS + "?dryRun=All&fieldValidation=Strict", config_map("x", lables={"a": "b"}))
    api("start", "POST", MAPS, config_map("x"))
    api("merge, strict", "PATCH", MAPS + "/x?fieldValidation=Strict", {"dta": {"a": "2"}}, type=MERGE)
    api("merge, warn", "PATCH", MAPS + "/x?fieldValidation=Warn", {"dta": {"a": "2"}}, type=MERGE)
    api("json, strict", "PATCH", MAPS + "/x?fieldValidation=Strict", [{"op": "add", "path": "/dta", "value": {}}], type=JSON)
    api("apply, strict", "PATCH", MAPS + "/x?fieldValidation=Strict&fieldManager=m", {**config_map("x"), "dta": {}}, type=APPLY)
    api("put, strict", "PUT", MAPS + "/x?fieldValidation=Strict", odd)


@story
def dry_run(api):
    api("create", "POST", MAPS + "?dryRun=All", config_map("x"))
    api("not there", "GET", MAPS + "/x")
    api("nonsense", "POST", MAPS + "?dryRun=Some", config_map("x"))
    api("start", "POST", MAPS, config_map("x"))
    api("taken", "POST", MAPS + "?dryRun=All", config_map("x"))
    api("update", "PUT", MAPS + "/x?dryRun=All", config_map("x", {"a": "2"}))
    api("patch", "PATCH", MAPS + "/x?dryRun=All", {"data": {"b": "3"}}, type=MERGE)
    api("delete", "DELETE", MAPS + "/x?dryRun=All")
    api("delete by body", "DELETE", MAPS + "/x", {"kind": "DeleteOptions", "apiVersion": "v1", "dryRun": ["All"]})
    api("as it was", "GET", MAPS + "/x")


@story
def updates(api):
    first = api("start", "POST", MAPS, config_map("x"))
    api("unconditional", "PUT", MAPS + "/x", config_map("x", {"a": "2"}))
    api("old version", "PUT", MAPS + "/x", config_map("x", {"a": "3"}, resourceVersion=first["metadata"]["resourceVersion"]))
    api("another uid", "PUT", MAPS + "/x", config_map("x", uid="11111111-1111-1111-1111-111111111111"))
    now = api("now", "GET", MAPS + "/x")
    api("nothing new", "PUT", MAPS + "/x", now)
    api("right version", "PUT", MAPS + "/x", {**now, "data": {"a": "4"}})
    api("another name", "PUT", MAPS + "/x", config_map("y"))
    api("without a name", "PUT", MAPS + "/x", {"data": {}})
    api("another namespace", "PUT", MAPS + "/x", config_map("x", namespace="other"))
    api("absent", "PUT", MAPS + "/none", config_map("none"))
    api("nonsense version", "PUT", MAPS + "/x", config_map("x", resourceVersion="abc"))
    api("immutable", "PUT", MAPS + "/x", {**config_map("x"), "immutable": True})
    api("frozen", "PUT", MAPS + "/x", {**config_map("x", {"a": "5"}), "immutable": True})
    api("thawed", "PUT", MAPS + "/x", config_map("x"))


@story
def secrets(api):
    path = "/api/v1/namespaces/{ns}/secrets"
    api("plain", "POST", path, {"metadata": {"name": "s"}, "stringData": {"user": "u"}, "data": {"password": "cA=="}})
    api("type is fixed", "PATCH", path + "/s", {"type": "other"}, type=MERGE)
    api("bad base64", "POST", path, {"metadata": {"name": "t"}, "data": {"a": "%"}})
    api("tls without", "POST", path, {"metadata": {"name": "t"}, "type": "kubernetes.io/tls", "data": {}})
    api("by type", "GET", path + "?fieldSelector=type%3DOpaque")


@story
def patches(api):
    api("start", "POST", MAPS, config_map("x", {"a": "1", "b": "2"}, labels={"l": "1"}))
    api("merge", "PATCH", MAPS + "/x", {"data": {"a": None, "c": "3"}, "metadata": {"labels": {"m": "2"}}}, type=MERGE)
    api("merge of nothing", "PATCH", MAPS + "/x", {}, type=MERGE)
    api("strategic", "PATCH", MAPS + "/x", {"data": {"$patch": "replace", "z": "26"}}, type=STRATEGIC)
    api("json", "PATCH", MAPS + "/x", [{"op": "test", "path": "/data/z", "value": "26"}, {"op": "copy", "from": "/data/z", "path": "/data/y"},
                                        {"op": "move", "from": "/data/z", "path": "/data/w"}, {"op": "add", "path": "/metadata/labels/a~1b", "value": "c"},
                                        {"op": "replace", "path": "/data/y", "value": "27"}, {"op": "remove", "path": "/metadata/labels/l"}], type=JSON)
    api("failed test", "PATCH", MAPS + "/x", [{"op": "test", "path": "/data/y", "value": "no"}], type=JSON)
    api("remove what is not there", "PATCH", MAPS + "/x", [{"op": "remove", "path": "/data/none"}], type=JSON)
    api("replace what is not there", "PATCH", MAPS + "/x", [{"op": "replace", "path": "/data/none", "value": "1"}], type=JSON)
    api("add below nothing", "PATCH", MAPS + "/x", [{"op": "add", "path": "/spec/none", "value": "1"}], type=JSON)
    api("unknown op", "PATCH", MAPS + "/x", [{"op": "nonsense", "path": "/data/y"}], type=JSON)
    api("no list", "PATCH", MAPS + "/x", {"op": "remove"}, type=JSON)
    api("no object", "PATCH", MAPS + "/x", "[]", type=MERGE)
    api("broken", "PATCH", MAPS + "/x", "{", type=MERGE)
    api("unknown type", "PATCH", MAPS + "/x", "{}", type="application/nonsense")
    api("plain json", "PATCH", MAPS + "/x", "{}", type="application/json")
    api("absent", "PATCH", MAPS + "/none", {"data": {}}, type=MERGE)
    api("old version", "PATCH", MAPS + "/x", {"metadata": {"resourceVersion": "1"}, "data": {"q": "1"}}, type=MERGE)
    api("rename", "PATCH", MAPS + "/x", {"metadata": {"name": "y"}}, type=MERGE)
    api("wrong type", "PATCH", MAPS + "/x", {"data": {"a": 5}}, type=MERGE)
    api("the result", "GET", MAPS + "/x")


def deployment(name, **spec):
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": {
        "selector": {"matchLabels": {"app": name}}, "replicas": 0,
        "template": {"metadata": {"labels": {"app": name}}, "spec": {"containers": [{"name": "c", "image": "gantry"}]}}, **spec}}


def wanted(body):
    """A Deployment without what its controllers write whenever they come to it."""
    if body.get("kind") not in ("Deployment", "Scale"):
        return body
    metadata = {name: value for name, value in body["metadata"].items() if name not in ("resourceVersion", "annotations", "managedFields")}
    return {**body, "metadata": metadata, "status": None}


@story
def strategic_lists(api_of_all):
    api = lambda *request, **how: api_of_all(*request, keep=wanted, **how)
    path = "/apis/apps/v1/namespaces/{ns}/deployments"
    pod = lambda **spec: {"spec": {"template": {"spec": spec}}}
    api("start", "POST", path, deployment("d"))
    api("add a container", "PATCH", path + "/d", pod(containers=[{"name": "e", "image": "other:1", "env": [{"name": "A", "value": "1"}]}]), type=STRATEGIC)
    api("change one", "PATCH", path + "/d", pod(containers=[{"name": "c", "image": "gantry:2"}]), type=STRATEGIC)
    api("delete one", "PATCH", path + "/d", pod(containers=[{"name": "c", "$patch": "delete"}]), type=STRATEGIC)
    api("merge replaces", "PATCH", path + "/d", pod(containers=[{"name": "f", "image": "third"}]), type=MERGE)
    api("order", "PATCH", path + "/d", pod(**{"containers": [{"name": "g", "image": "fourth"}],
                                               "$setElementOrder/containers": [{"name": "g"}, {"name": "f"}]}), type=STRATEGIC)
    api("keys only", "PATCH", path + "/d", pod(volumes=[{"name": "v", "emptyDir": {}}, {"name": "w", "emptyDir": {"$retainKeys": ["medium"], "medium": "Memory"}}]), type=STRATEGIC)
    api("no key", "PATCH", path + "/d", pod(containers=[{"image": "x"}]), type=STRATEGIC)
    api("selector is fixed", "PATCH", path + "/d", {"spec": {"selector": {"matchLabels": {"app": "e"}}}}, type=MERGE)
    api("scaled", "PATCH", path + "/d/scale", {"spec": {"replicas": 2}}, type=MERGE)
    api("too little", "PATCH", path + "/d/scale", {"spec": {"replicas": -1}}, type=MERGE)
    api("status", "PATCH", path + "/d/status", {"spec": {"replicas": 9}}, type=MERGE)
    api("no template", "POST", path, {"metadata": {"name": "e"}, "spec": {"selector": {"matchLabels": {"a": "b"}}}})
    api("no match", "POST", path, deployment("e", selector={"matchLabels": {"a": "b"}}))
