"""Server-side apply, as kubectl and client-go use it, and whose field is whose."""
from story import story
from stories_objects import APPLY, JSON, MAPS, MERGE, config_map, deployment, wanted


def applied(name, data, **metadata):
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, **metadata}, "data": data}


@story
def apply_by_two(api):
    as_a, as_b = MAPS + "/x?fieldManager=a", MAPS + "/x?fieldManager=b"
    api("created", "PATCH", as_a, applied("x", {"k": "1", "l": "1"}, labels={"who": "a"}), type=APPLY)
    api("again", "PATCH", as_a, applied("x", {"k": "1", "l": "1"}, labels={"who": "a"}), type=APPLY)
    api("shared", "PATCH", as_b, applied("x", {"k": "1", "m": "2"}), type=APPLY)
    api("conflict", "PATCH", as_b, applied("x", {"k": "2", "l": "3"}), type=APPLY)
    api("forced", "PATCH", as_b + "&force=true", applied("x", {"k": "2", "m": "2"}), type=APPLY)
    api("given up", "PATCH", as_b, applied("x", {"k": "2"}), type=APPLY)
    api("a gives up", "PATCH", as_a, applied("x", {"l": "1"}), type=APPLY)
    api("no manager", "PATCH", MAPS + "/x", applied("x", {}), type=APPLY)
    api("force elsewhere", "PATCH", as_a + "&force=true", {"data": {}}, type=MERGE)
    api("managed fields", "PATCH", as_a, applied("x", {}, managedFields=[{"manager": "z"}]), type=APPLY)
    api("yaml", "PATCH", as_a, "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata: {l: '2'}\n", type=APPLY)
    api("no kind", "PATCH", as_a, {"metadata": {"name": "x"}}, type=APPLY)
    api("old version", "PATCH", as_a, applied("x", {"l": "3"}, resourceVersion="1"), type=APPLY)
    api("create with a version", "PATCH", MAPS + "/new?fieldManager=a", applied("new", {}, resourceVersion="1"), type=APPLY)
    api("create with a uid", "PATCH", MAPS + "/new?fieldManager=a", applied("new", {}, uid="11111111-1111-1111-1111-111111111111"), type=APPLY)
    api("dry run", "PATCH", MAPS + "/new?fieldManager=a&dryRun=All", applied("new", {"a": "b"}), type=APPLY)


@story
def apply_after_others(api):
    api("created", "POST", MAPS + "?fieldManager=maker", config_map("x", {"a": "1", "b": "1"}))
    api("conflict", "PATCH", MAPS + "/x?fieldManager=applier", applied("x", {"a": "2"}), type=APPLY)
    api("same value", "PATCH", MAPS + "/x?fieldManager=applier", applied("x", {"a": "1"}), type=APPLY)
    api("taken by update", "PUT", MAPS + "/x?fieldManager=updater", config_map("x", {"a": "3", "b": "1"}))
    api("conflict again", "PATCH", MAPS + "/x?fieldManager=applier", applied("x", {"a": "1"}), type=APPLY)
    api("forced", "PATCH", MAPS + "/x?fieldManager=applier&force=true", applied("x", {"a": "1"}), type=APPLY)
    api("patched", "PATCH", MAPS + "/x?fieldManager=patcher", {"data": {"c": "1"}}, type=MERGE)
    api("patched away", "PATCH", MAPS + "/x?fieldManager=patcher", {"data": {"b": None}}, type=MERGE)
    api("by user agent", "PATCH", MAPS + "/x", {"data": {"d": "1"}}, type=MERGE)
    api("cleared", "PATCH", MAPS + "/x?fieldManager=patcher", [{"op": "replace", "path": "/metadata/managedFields", "value": [{}]}], type=JSON)
    api("applied to what nobody has", "PATCH", MAPS + "/x?fieldManager=applier", applied("x", {"a": "9"}), type=APPLY)


@story
def apply_lists(api_of_all):
    api = lambda *request, **how: api_of_all(*request, keep=wanted, **how)
    path = "/apis/apps/v1/namespaces/{ns}/deployments/d"
    base = deployment("d")
    api("created", "PATCH", path + "?fieldManager=a", base, type=APPLY)
    other = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d"}, "spec": {"template": {"spec": {"containers": [
        {"name": "c", "env": [{"name": "A", "value": "1"}]}, {"name": "side", "image": "side"}]}}}}
    api("another's container", "PATCH", path + "?fieldManager=b", other, type=APPLY)
    del other["spec"]["template"]["spec"]["containers"][1]
    api("given up", "PATCH", path + "?fieldManager=b", other, type=APPLY)
    base["spec"]["replicas"] = 3
    api("scaled", "PATCH", path + "/scale?fieldManager=s", {"spec": {"replicas": 2}}, type=MERGE)
    api("conflict with the scaler", "PATCH", path + "?fieldManager=a", base, type=APPLY)
    api("status", "PATCH", path + "/status?fieldManager=c", {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d"}, "status": {
        "conditions": [{"type": "Available", "status": "True", "reason": "x", "message": "y"}]}}, type=APPLY)


@story
def apply_ports(api):
    """The keys of ports[] are port and protocol; one that leaves the protocol out is the TCP one."""
    def service(*ports):
        return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "s"}, "spec": {"clusterIP": "None", "selector": {"a": "b"}, "ports": list(ports)}}

    def ports(body):
        return body["spec"]["ports"] if "spec" in body else body

    path = "/api/v1/namespaces/{ns}/services/s?fieldManager=a"
    api("made", "PATCH", path, service({"port": 80, "name": "web"}), type=APPLY, keep=ports)
    api("again", "PATCH", path, service({"port": 80, "name": "web", "targetPort": 8080}), type=APPLY, keep=ports)
    api("said", "PATCH", path, service({"port": 80, "protocol": "TCP", "name": "web", "targetPort": 8081}), type=APPLY, keep=ports)
    api("beside", "PATCH", path, service({"port": 80, "name": "web"}, {"port": 80, "protocol": "UDP", "name": "udp"}), type=APPLY, keep=ports)
    api("one left", "PATCH", path, service({"port": 80, "protocol": "UDP", "name": "udp"}), type=APPLY, keep=ports)
