"""Who may do what: reviews, tokens, roles and what a user without a right is told."""
from story import story
from stories_objects import MAPS, MERGE, config_map

REVIEWS = "/apis/authorization.k8s.io/v1"
RBAC = "/apis/rbac.authorization.k8s.io/v1"
RULES = [{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get", "list", "watch", "create"]},
         {"apiGroups": [""], "resources": ["secrets"], "resourceNames": ["mine"], "verbs": ["get"]},
         {"apiGroups": ["apps"], "resources": ["deployments/scale"], "verbs": ["*"]}]


def token_of(api, name):
    api.raw("POST", "/api/v1/namespaces/{ns}/serviceaccounts", {"metadata": {"name": name}})
    return api.raw("POST", f"/api/v1/namespaces/{{ns}}/serviceaccounts/{name}/token", {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}})[2]["status"]["token"]


def subject(api, name):
    return {"kind": "ServiceAccount", "name": name, "namespace": api.ns}


def bind(api, name, role, kind="Role"):
    api.raw("POST", RBAC + "/namespaces/{ns}/rolebindings", {"metadata": {"name": f"{name}-{role}"}, "subjects": [subject(api, name)],
                                                              "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": role}})


def until_allowed(api, token, path):
    for _ in range(300):
        if api.raw("GET", path, token=token)[0] != 403:
            return
    raise AssertionError("the right never came")


@story
def reviews(api):
    token = token_of(api, "someone")
    api("token", "POST", "/apis/authentication.k8s.io/v1/tokenreviews", {"spec": {"token": token}}, keep=lambda body: {**body["status"], "user": {
        name: value for name, value in body["status"]["user"].items() if name != "extra"}})
    api("bad token", "POST", "/apis/authentication.k8s.io/v1/tokenreviews", {"spec": {"token": "nonsense"}}, keep=lambda body: body["status"].get("authenticated", False))
    api("who am I", "POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", {}, keep=lambda body: {**body["status"]["userInfo"]})
    api("may I", "POST", REVIEWS + "/selfsubjectaccessreviews", {"spec": {"resourceAttributes": {"verb": "list", "resource": "pods"}}},
        keep=lambda body: body["status"]["allowed"])
    api("may nobody", "POST", REVIEWS + "/subjectaccessreviews", {"spec": {"user": "nobody", "resourceAttributes": {"verb": "list", "resource": "pods"}}},
        keep=lambda body: body["status"]["allowed"])
    api("nothing asked", "POST", REVIEWS + "/selfsubjectaccessreviews", {"spec": {}})
    api("no user", "POST", REVIEWS + "/subjectaccessreviews", {"spec": {"resourceAttributes": {"verb": "list", "resource": "pods"}}})
    api("stranger", "GET", MAPS, token="nonsense")
    api("token of none", "POST", "/api/v1/namespaces/{ns}/serviceaccounts/none/token", {"spec": {}})
    api("short token", "POST", "/api/v1/namespaces/{ns}/serviceaccounts/someone/token", {"spec": {"expirationSeconds": 60}})


@story
def roles(api):
    token = token_of(api, "user")
    api("nothing yet", "GET", MAPS, token=token)
    api("nothing yet of one", "GET", MAPS + "/x", token=token)
    api("discovery is open", "GET", "/apis/apps", token=token, keep=lambda body: body["kind"])
    api("role", "POST", RBAC + "/namespaces/{ns}/roles", {"metadata": {"name": "reader"}, "rules": RULES})
    bind(api, "user", "reader")
    until_allowed(api, token, MAPS)
    api("may create", "POST", MAPS, config_map("x"), token=token)
    api("may get", "GET", MAPS + "/x", token=token)
    api("may list", "GET", MAPS + "?fieldSelector=metadata.name=x", token=token)
    api("may not update", "PUT", MAPS + "/x", config_map("x"), token=token)
    api("may not patch", "PATCH", MAPS + "/x", {"data": {}}, type=MERGE, token=token)
    api("may not delete", "DELETE", MAPS + "/x", token=token)
    api("may not delete all", "DELETE", MAPS, token=token)
    api("may not list everywhere", "GET", "/api/v1/configmaps", token=token)
    api("may not list elsewhere", "GET", "/api/v1/namespaces/default/configmaps", token=token)
    api("may not list Namespaces", "GET", "/api/v1/namespaces", token=token)
    api("may get one Secret", "GET", "/api/v1/namespaces/{ns}/secrets/mine", token=token)
    api("may not get another", "GET", "/api/v1/namespaces/{ns}/secrets/other", token=token)
    api("may not list Secrets", "GET", "/api/v1/namespaces/{ns}/secrets", token=token)
    api("may scale", "GET", "/apis/apps/v1/namespaces/{ns}/deployments/none/scale", token=token)
    api("may not get what it scales", "GET", "/apis/apps/v1/namespaces/{ns}/deployments/none", token=token)
    api("may not watch Secrets", "GET", "/api/v1/namespaces/{ns}/secrets?watch=true", token=token)
    api("may not give itself more", "POST", RBAC + "/namespaces/{ns}/roles", {"metadata": {"name": "more"}, "rules": RULES}, token=token)
    for verb, resource, name in (("get", "configmaps", ""), ("delete", "configmaps", "x"), ("get", "secrets", "mine"), ("get", "secrets", "other")):
        api(f"may I {verb} {resource} {name}", "POST", REVIEWS + "/selfsubjectaccessreviews", {"spec": {"resourceAttributes": {
            "namespace": api.ns, "verb": verb, "resource": resource, "name": name}}}, token=token, keep=lambda body: body["status"]["allowed"])
    api("may another", "POST", REVIEWS + "/subjectaccessreviews", {"spec": {"user": f"system:serviceaccount:{api.ns}:user", "resourceAttributes": {
        "namespace": api.ns, "verb": "list", "resource": "configmaps"}}}, keep=lambda body: body["status"]["allowed"])
    api("may not ask about others", "POST", REVIEWS + "/subjectaccessreviews", {"spec": {"user": "x", "resourceAttributes": {"verb": "list", "resource": "pods"}}}, token=token)
    api("my rules", "POST", REVIEWS + "/selfsubjectrulesreviews", {"spec": {"namespace": api.ns}}, token=token,
        keep=lambda body: [rule for rule in body["status"]["resourceRules"] if rule["resources"] in (["configmaps"], ["secrets"], ["deployments/scale"])])
    api("no open end", "GET", "/metrics", token=token)
    api("impersonated", "GET", MAPS + "/x", headers={"Impersonate-User": f"system:serviceaccount:{api.ns}:user"})
    api("impersonated without the right", "DELETE", MAPS + "/x", headers={"Impersonate-User": f"system:serviceaccount:{api.ns}:user"})
    api("may not impersonate", "GET", MAPS + "/x", token=token, headers={"Impersonate-User": "system:admin"})
    api("bad role", "POST", RBAC + "/namespaces/{ns}/roles", {"metadata": {"name": "bad"}, "rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": []}]})
    api("bad binding", "POST", RBAC + "/namespaces/{ns}/rolebindings", {"metadata": {"name": "bad"}, "subjects": [{"kind": "Odd", "name": "x"}],
                                                                         "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "x"}})
    api("binding is fixed", "PATCH", RBAC + "/namespaces/{ns}/rolebindings/user-reader", {"roleRef": {"name": "other"}}, type=MERGE)


@story
def roles_of_others(api):
    """Who may change roles gives nobody more than he has; what the collection of garbage goes by is no right."""
    token, role = token_of(api, "keeper"), RBAC + "/namespaces/{ns}/roles/strong"
    api.raw("POST", RBAC + "/namespaces/{ns}/roles", {"metadata": {"name": "strong"}, "rules": RULES})
    api.raw("POST", RBAC + "/namespaces/{ns}/roles", {"metadata": {"name": "keeper"}, "rules": [
        {"apiGroups": ["rbac.authorization.k8s.io"], "resources": ["roles"], "verbs": ["get", "patch"]}]})
    bind(api, "keeper", "keeper")
    until_allowed(api, token, role)
    api("finalizer", "PATCH", role, {"metadata": {"finalizers": ["example.com/kept"]}}, type=MERGE, token=token)
    api("no finalizer", "PATCH", role, {"metadata": {"finalizers": None}}, type=MERGE, token=token)
    api("label", "PATCH", role, {"metadata": {"labels": {"a": "b"}}}, type=MERGE, token=token)
    api("another rule", "PATCH", role, {"rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]}, type=MERGE, token=token)


@story
def cluster_roles(api):
    token = token_of(api, "viewer")
    api("cluster role", "POST", RBAC + "/clusterroles", {"metadata": {"name": "story-viewer"}, "rules": [
        {"apiGroups": ["*"], "resources": ["*"], "verbs": ["get", "list"]}, {"nonResourceURLs": ["/story/*"], "verbs": ["get"]}]})
    bind(api, "viewer", "story-viewer", "ClusterRole")
    until_allowed(api, token, MAPS)
    api("here", "GET", MAPS + "?labelSelector=none", token=token)
    api("not everywhere", "GET", "/api/v1/configmaps?labelSelector=none", token=token)
    api("cluster binding", "POST", RBAC + "/clusterrolebindings", {"metadata": {"name": "story-viewer"}, "subjects": [
        {"kind": "Group", "apiGroup": "rbac.authorization.k8s.io", "name": f"system:serviceaccounts:{api.ns}"}],
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "story-viewer"}})
    until_allowed(api, token, "/api/v1/configmaps?labelSelector=none")
    api("everywhere now", "GET", "/api/v1/configmaps?labelSelector=none", token=token)
    api("other paths", "GET", "/story/x", token=token, keep=None)
    api("still not", "DELETE", MAPS + "/x", token=token)
    api.raw("DELETE", RBAC + "/clusterrolebindings/story-viewer")
    api.raw("DELETE", RBAC + "/clusterroles/story-viewer")
