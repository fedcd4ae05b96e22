"""How objects go: finalizers, dependents, collections, namespaces."""
from story import story
from stories_objects import MAPS, MERGE, config_map

SELECT = "?labelSelector=part%3Dmine"


def options(**how):
    return {"kind": "DeleteOptions", "apiVersion": "v1", **how}


@story
def deletes(api):
    made = api("start", "POST", MAPS, config_map("x"))
    api("another uid", "DELETE", MAPS + "/x", options(preconditions={"uid": "11111111-1111-1111-1111-111111111111"}))
    api("another version", "DELETE", MAPS + "/x", options(preconditions={"resourceVersion": "1"}), keep=None)
    api("nonsense policy", "DELETE", MAPS + "/x?propagationPolicy=Nonsense")
    api("both policies", "DELETE", MAPS + "/x", options(propagationPolicy="Orphan", orphanDependents=True))
    api("negative grace", "DELETE", MAPS + "/x", options(gracePeriodSeconds=-1))
    api("of another kind", "DELETE", MAPS + "/x", {"kind": "ConfigMap", "apiVersion": "v1"})
    api("right uid", "DELETE", MAPS + "/x", options(preconditions={"uid": made["metadata"]["uid"]}))
    api("again", "DELETE", MAPS + "/x")


@story
def finalizers(api):
    api("start", "POST", MAPS, config_map("x", finalizers=["gantry.io/hold"]))
    api("asked", "DELETE", MAPS + "/x")
    api("asked again", "DELETE", MAPS + "/x")
    api("still there", "GET", MAPS + "/x")
    api("one more finalizer", "PATCH", MAPS + "/x", {"metadata": {"finalizers": ["gantry.io/hold", "gantry.io/more"]}}, type=MERGE)
    api("time is fixed", "PATCH", MAPS + "/x", {"metadata": {"deletionTimestamp": None}}, type=MERGE)
    api("data may change", "PATCH", MAPS + "/x", {"data": {"b": "2"}}, type=MERGE)
    api("let go", "PATCH", MAPS + "/x", {"metadata": {"finalizers": None}}, type=MERGE)
    api("gone", "GET", MAPS + "/x")


def owned(name, owner, block=None):
    return config_map(name, ownerReferences=[{"apiVersion": "v1", "kind": "ConfigMap", "name": owner["metadata"]["name"], "uid": owner["metadata"]["uid"],
                                              **({"blockOwnerDeletion": block} if block is not None else {})}])


@story
def dependents(api):
    for policy in ("Background", "Foreground", "Orphan"):
        name = policy.lower()
        owner = api.raw("POST", MAPS, config_map(name))[2]
        api.raw("POST", MAPS, owned(name + "-child", owner, block=True))
        api(name, "DELETE", MAPS + f"/{name}", options(propagationPolicy=policy))
        api.wait(MAPS + f"/{name}", gone=True)
        if policy == "Orphan":
            api(name + " child", "GET", MAPS + f"/{name}-child")
        else:
            api.wait(MAPS + f"/{name}-child", gone=True)
    owner = api.raw("POST", MAPS, config_map("parent"))[2]
    absent = {"metadata": {"name": "absent", "uid": "22222222-2222-2222-2222-222222222222"}}
    both = owned("two-parents", owner)
    both["metadata"]["ownerReferences"] += owned("", absent)["metadata"]["ownerReferences"]
    api.raw("POST", MAPS, both)
    api.raw("POST", MAPS, owned("orphan", absent))
    api.wait(MAPS + "/orphan", gone=True)
    kept = api.wait(MAPS + "/two-parents", look=lambda body: len(body["metadata"]["ownerReferences"]) == 1)
    api.note("only the absent owner is taken off", [one["name"] for one in kept["metadata"]["ownerReferences"]])


@story
def collections(api):
    for n in range(3):
        api.raw("POST", MAPS, config_map(f"x{n}", labels={"part": "mine"}))
    api.raw("POST", MAPS, config_map("held", labels={"part": "mine"}, finalizers=["gantry.io/hold"]))
    api.raw("POST", MAPS, config_map("other", labels={"part": "other"}))
    api("dry run", "DELETE", MAPS + SELECT + "&dryRun=All", keep=lambda body: [body["kind"], len(body.get("items", []))])
    api("deleted", "DELETE", MAPS + SELECT)
    left = api.raw("GET", MAPS + "?labelSelector=part")[2]["items"]
    api.note("left", [one["metadata"]["name"] for one in left])
    api("none", "DELETE", MAPS + "?labelSelector=part%3Dnone")
    api("all namespaces", "DELETE", "/api/v1/configmaps?labelSelector=part%3Dnone")
    api.raw("PATCH", MAPS + "/held", {"metadata": {"finalizers": []}}, type=MERGE)
    api.wait(MAPS + "/held", gone=True)


@story
def namespaces(api):
    path = "/api/v1/namespaces/going"
    api("created", "POST", "/api/v1/namespaces", {"metadata": {"name": "going", "labels": {"a": "b"}}})
    api.wait(path + "/serviceaccounts/default")
    api("account", "GET", path + "/serviceaccounts/default", keep=lambda body: {**body, "metadata": sorted(body["metadata"])})
    api("bad name", "POST", "/api/v1/namespaces", {"metadata": {"name": "with.dot"}})
    api("held", "POST", path + "/configmaps", config_map("x", finalizers=["gantry.io/hold"]))
    api("free", "POST", path + "/configmaps", config_map("y"))
    api("asked", "DELETE", path)
    api("no more", "POST", path + "/configmaps", config_map("z"))
    api.wait(path + "/configmaps/y", gone=True)
    status = api.raw("GET", path)[2]
    api.note("ends", [status["status"]["phase"], status["spec"]])
    api("let go", "PATCH", path + "/configmaps/x", {"metadata": {"finalizers": None}}, type=MERGE)
    api.wait(path, gone=True)
    api("default stays", "DELETE", "/api/v1/namespaces/default?dryRun=All")
