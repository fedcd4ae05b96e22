"""Small manifests for the tests."""
IMAGE = "quay.io/gantry/gantry:2.3.100"


def container(script, name="main", **more):
    return {"name": name, "image": IMAGE, "command": ["sh", "-c", script], **more}


def pod_spec(script, restart="Never", **more):
    return {"restartPolicy": restart, "terminationGracePeriodSeconds": 3, "containers": [container(script)], **more}


def pod(name, namespace, script, restart="Never", **more):
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": namespace, "labels": {"app": name}},
            "spec": pod_spec(script, restart, **more)}


def state(pod_object, name="main"):
    for status in pod_object.get("status", {}).get("containerStatuses", []):
        if status["name"] == name:
            return status
    return {"state": {}, "restartCount": 0, "ready": False}


POD_IP = {"name": "POD_IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}
WEB = "echo $HOSTNAME > /tmp/index.html; cd /tmp; exec python3 -m http.server 8000 --bind $POD_IP"


def web_template(**labels):
    spec = pod_spec(WEB, "Always")
    spec["containers"][0].update(env=[POD_IP], ports=[{"name": "http", "containerPort": 8000}],
                                 readinessProbe={"httpGet": {"path": "/", "port": "http"}})
    return {"metadata": {"labels": labels}, "spec": spec}
