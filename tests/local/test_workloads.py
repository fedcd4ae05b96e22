"""Deployments, Jobs, Services, garbage collection and Namespaces, as kubectl's users see them."""
import json
import urllib.request

from harness import waiting
from harness.pods import container, pod, web_template


def deployment(name, namespace, replicas=2, strategy="RollingUpdate"):
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name, "namespace": namespace},
            "spec": {"replicas": replicas, "strategy": {"type": strategy}, "selector": {"matchLabels": {"app": name}},
                     "template": web_template(app=name)}}


def job(name, namespace, script, **spec):
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name, "namespace": namespace},
            "spec": {**spec, "template": {"spec": {"restartPolicy": "Never", "containers": [container(script)]}}}}


def names(kubectl, kind, namespace, selector=None):
    return {item["metadata"]["name"] for item in kubectl.get(kind, namespace=namespace, selector=selector)}


def test_deployment_scales_and_rolls_out(kubectl, namespace):
    kubectl.apply(deployment("web", namespace))
    kubectl("rollout", "status", "deployment/web", "-n", namespace)
    first = names(kubectl, "pods", namespace)
    assert len(first) == 2 and all(len(name.split("-")) == 3 and len(name.split("-")[1]) == 10 for name in first)

    kubectl("rollout", "restart", "deployment/web", "-n", namespace)
    kubectl("rollout", "status", "deployment/web", "-n", namespace)
    waiting.until("only new pods", lambda: len(now := names(kubectl, "pods", namespace)) == 2 and not now & first)

    kubectl("scale", "deployment/web", "--replicas=0", "-n", namespace)
    waiting.until("no pods", lambda: not names(kubectl, "pods", namespace))
    kubectl("scale", "deployment/web", "--replicas=1", "-n", namespace)
    kubectl("rollout", "status", "deployment/web", "-n", namespace)
    assert kubectl.get("deployment", "web", namespace)["status"]["availableReplicas"] == 1
    kubectl("rollout", "undo", "deployment/web", "-n", namespace)
    kubectl("rollout", "status", "deployment/web", "-n", namespace)
    assert len(names(kubectl, "replicasets", namespace)) == 2


def test_recreate_never_runs_old_and_new_together(kubectl, namespace):
    kubectl.apply(deployment("web", namespace, 1, "Recreate"))
    kubectl("rollout", "status", "deployment/web", "-n", namespace)
    kubectl("set", "env", "deployment/web", "VERSION=2", "-n", namespace)
    together = []

    def done():
        pods = kubectl.get("pods", namespace=namespace)
        together.append(len(pods))
        return kubectl("rollout", "status", "deployment/web", "-n", namespace, "--watch=false").startswith("deployment") and len(pods) == 1

    waiting.until("the new version", done, every=0.05)
    assert max(together) == 1


def test_a_deleted_pod_is_replaced(kubectl, namespace):
    kubectl.apply(deployment("web", namespace, 1))
    kubectl("rollout", "status", "deployment/web", "-n", namespace)
    old = names(kubectl, "pods", namespace)
    kubectl("delete", "pod", *old, "-n", namespace)
    waiting.until("another pod", lambda: len(new := names(kubectl, "pods", namespace)) == 1 and new != old)


def test_service_and_route_forward_to_ready_pods(kubectl, namespace, cluster):
    kubectl.apply(deployment("web", namespace),
                  {"apiVersion": "v1", "kind": "Service",
                   "metadata": {"name": "web", "namespace": namespace,
                                "annotations": {"service.beta.openshift.io/serving-cert-secret-name": "web-serving-cert"}},
                   "spec": {"selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": "http"}]}},
                  {"apiVersion": "route.openshift.io/v1", "kind": "Route",
                   "metadata": {"name": "web", "namespace": namespace, "annotations": {"gantry.io/local-port-offset": "4"}},
                   "spec": {"to": {"kind": "Service", "name": "web"}}})
    kubectl("rollout", "status", "deployment/web", "-n", namespace)
    address = kubectl.get("service", "web", namespace)["spec"]["clusterIP"]
    host = waiting.until("the route's host", lambda: kubectl.get("route", "web", namespace)["spec"].get("host"))
    assert host == f"127.0.0.1:{cluster.port + 4}"

    def answering(url):
        try:
            return {urllib.request.urlopen(url, timeout=waiting.SHORT).read().decode().strip() for _ in range(4)}
        except OSError:
            return set()

    for url in (f"http://{address}/", f"http://{host}/"):
        waiting.until(f"answer of every Pod at {url}", lambda wanted=url: answering(wanted) == names(kubectl, "pods", namespace))
    kubectl.apply(job("asks", namespace, f"python3 -c 'import urllib.request as u; print(u.urlopen(\"http://web.{namespace}.svc\").status)'"))
    kubectl("wait", "job/asks", "--for=condition=complete", "-n", namespace, f"--timeout={waiting.SHORT}s")
    assert kubectl("logs", "job/asks", "-n", namespace) == "200\n"
    secret = waiting.until("the certificate", lambda: kubectl.get("secret", "web-serving-cert", namespace))
    assert secret["type"] == "kubernetes.io/tls" and {"tls.crt", "tls.key"} <= set(secret["data"])


def test_job_completes_and_is_removed_after_its_time(kubectl, namespace):
    kubectl.apply(job("quick", namespace, "echo done"))
    kubectl("wait", "job/quick", "--for=condition=complete", "-n", namespace, f"--timeout={waiting.SHORT}s")
    assert kubectl("logs", "job/quick", "-n", namespace) == "done\n"
    kubectl("patch", "job", "quick", "-n", namespace, "--type=merge", "-p", '{"spec": {"ttlSecondsAfterFinished": 1}}')
    waiting.until("removal", lambda: kubectl.get("job", "quick", namespace) is None and not names(kubectl, "pods", namespace))


def test_job_fails_at_its_limits(kubectl, namespace):
    kubectl.apply(job("broken", namespace, "exit 1", backoffLimit=0), job("slow", namespace, "sleep 1000", activeDeadlineSeconds=1))
    for name, reason in (("broken", "BackoffLimitExceeded"), ("slow", "DeadlineExceeded")):
        assert kubectl.condition("job", name, "Failed", namespace)["reason"] == reason
    waiting.until("the slow pod's end", lambda: names(kubectl, "pods", namespace, "job-name=slow") == set())


def configmap(name, namespace, *owners, block=False):
    references = [{"apiVersion": "v1", "kind": "ConfigMap", "name": one["metadata"]["name"], "uid": one["metadata"]["uid"],
                   "blockOwnerDeletion": block} for one in owners]
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": namespace, "ownerReferences": references}}


def test_dependents_go_with_their_last_owner(kubectl, namespace):
    kubectl.apply(configmap("a", namespace), configmap("b", namespace))
    a, b = (kubectl.get("configmap", name, namespace) for name in "ab")
    kubectl.apply(configmap("of-a", namespace, a), configmap("of-both", namespace, a, b))
    kubectl("delete", "configmap", "a", "-n", namespace)
    waiting.until("the dependent's end", lambda: kubectl.get("configmap", "of-a", namespace) is None)
    waiting.until("one owner less", lambda: len(kubectl.get("configmap", "of-both", namespace)["metadata"]["ownerReferences"]) == 1)
    kubectl("delete", "configmap", "b", "-n", namespace)
    waiting.until("the dependent's end", lambda: kubectl.get("configmap", "of-both", namespace) is None)


def test_an_owner_deleted_in_the_foreground_goes_last(kubectl, namespace):
    kubectl.apply(configmap("owner", namespace))
    child = configmap("child", namespace, kubectl.get("configmap", "owner", namespace), block=True)
    child["metadata"]["finalizers"] = ["example.com/hold"]
    kubectl.apply(child)
    kubectl("delete", "configmap", "owner", "-n", namespace, "--cascade=foreground", "--wait=false")
    waiting.until("the child's deletion", lambda: kubectl.get("configmap", "child", namespace)["metadata"].get("deletionTimestamp"))
    assert kubectl.get("configmap", "owner", namespace)
    kubectl("patch", "configmap", "child", "-n", namespace, "--type=merge", "-p", json.dumps({"metadata": {"finalizers": []}}))
    waiting.until("the owner's end", lambda: kubectl.get("configmap", "owner", namespace) is None)


def test_orphans_stay(kubectl, namespace):
    kubectl.apply(configmap("owner", namespace))
    kubectl.apply(configmap("child", namespace, kubectl.get("configmap", "owner", namespace)))
    kubectl("delete", "configmap", "owner", "-n", namespace, "--cascade=orphan")
    assert not kubectl.get("configmap", "child", namespace)["metadata"].get("ownerReferences")


def test_a_namespace_goes_with_all_that_is_in_it(kubectl, cluster):
    kubectl("create", "namespace", "short-lived")
    waiting.until("the default account", lambda: kubectl.get("serviceaccount", "default", "short-lived"))
    kubectl.apply(deployment("web", "short-lived", 1), pod("one", "short-lived", "sleep 1000"),
                  {"apiVersion": "cdi.kubevirt.io/v1beta1", "kind": "DataVolume", "metadata": {"name": "disk", "namespace": "short-lived"},
                   "spec": {"source": {"blank": {}}, "storage": {"resources": {"requests": {"storage": "1Mi"}}}}})
    kubectl("rollout", "status", "deployment/web", "-n", "short-lived")
    kubectl("delete", "namespace", "short-lived")
    assert kubectl.get("namespace", "short-lived") is None
    waiting.until("the end of the processes", lambda: not cluster.processes())
    waiting.until("the end of the disk", lambda: not list((cluster.data / "storage/standard").iterdir()))


def test_a_claim_is_mounted(kubectl, namespace):
    claim = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "state", "namespace": namespace},
             "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Mi"}}}}
    mounted = {"volumes": [{"name": "v", "persistentVolumeClaim": {"claimName": "state"}}]}
    writer, reader = (pod(name, namespace, "", **mounted) for name in ("writer", "reader"))
    mount = {"volumeMounts": [{"name": "v", "mountPath": "/state"}]}
    writer["spec"]["containers"] = [container("echo kept > /state/x", **mount)]
    reader["spec"]["containers"] = [container("cat /state/x", **mount)]
    for one in (writer, reader):
        kubectl.apply(claim, one)
        waiting.until("the pod's end", lambda p=one: kubectl.get("pod", p["metadata"]["name"], namespace)["status"]["phase"] == "Succeeded")
    assert kubectl("logs", "reader", "-n", namespace) == "kept\n"


def test_restarted_services_keep_what_users_changed(own_cluster):
    """The StorageClass that `gantry up` made keeps an annotation of the user over a restart."""
    own_cluster.kubectl("annotate", "storageclass", "standard", "mine=yes")
    own_cluster.stop()
    own_cluster.start()
    assert own_cluster.kubectl.get("storageclass", "standard")["metadata"]["annotations"]["mine"] == "yes"
