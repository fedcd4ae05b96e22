"""Logs of Pods, commands inside them and connections to their ports, through the API server with stock kubectl."""
import subprocess

import pytest

from harness import waiting

SCRIPT = ("echo one; echo two >&2; echo served > index.html; "
          "exec python3 -m http.server 8080 --bind $POD_IP")


@pytest.fixture(scope="module")
def pod(module_cluster):
    kubectl = module_cluster.kubectl
    kubectl.apply({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "server", "namespace": "default"},
        "spec": {"volumes": [{"name": "home", "emptyDir": {}}],
                 "containers": [{"name": "main", "image": "localhost/gantry", "workingDir": "/home", "command": ["sh", "-c", SCRIPT],
                                 "volumeMounts": [{"name": "home", "mountPath": "/home"}],
                                 "env": [{"name": "POD_IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}]}]}})
    # Ready it is when its process begins; what the tests count on is there when it serves.
    page = "/api/v1/namespaces/default/pods/server:8080/proxy/index.html"
    waiting.until("the page", lambda: kubectl("get", "--raw", page, check=False).stdout == "served\n")
    return "server"


def run(kubectl, *arguments, stdin=None):
    return kubectl("exec", "-i", "server", "--", *arguments, stdin=stdin, check=False)


def test_logs(kubectl, pod):
    assert kubectl("logs", pod).splitlines()[:2] == ["one", "two"]
    assert kubectl("logs", pod, "--tail=1").splitlines()[-1] != "one"
    missing = kubectl("logs", pod, "-c", "other", check=False)
    assert missing.returncode and "container other is not valid for pod server" in missing.stderr


def test_a_followed_log_goes_on(kubectl, pod, cluster):
    with subprocess.Popen(["kubectl", "--kubeconfig", cluster.data / "kubeconfig", "logs", "-f", pod], stdout=subprocess.PIPE, text=True) as log:
        assert log.stdout.readline() == "one\n"
        kubectl("get", "--raw", f"/api/v1/namespaces/default/pods/{pod}:8080/proxy/asked-for", check=False)
        assert any("asked-for" in line for line in iter(log.stdout.readline, ""))
        log.terminate()


def test_exec_keeps_streams_and_exit_code_apart(kubectl, pod):
    result = run(kubectl, "sh", "-c", "echo out; echo err >&2; exit 7")
    assert result.returncode == 7 and result.stdout == "out\n" and "err\n" in result.stderr
    assert run(kubectl, "cat", stdin="passed on\n").stdout == "passed on\n"
    assert len(run(kubectl, "sh", "-c", "head -c 3000000 /dev/zero | tr '\\0' x").stdout) == 3000000


def test_exec_of_what_is_not_there(kubectl, pod):
    assert run(kubectl, "no-such-program").returncode != 0
    assert "not found" in kubectl("exec", "nobody", "--", "true", check=False).stderr


def test_proxy(kubectl, pod):
    for name in (f"{pod}:8080", f"http:{pod}:8080"):
        assert kubectl("get", "--raw", f"/api/v1/namespaces/default/pods/{name}/proxy/index.html?x=y").strip() == "served"
    refused = kubectl("get", "--raw", f"/api/v1/namespaces/default/pods/{pod}:1/proxy/", check=False)
    assert refused.returncode and "error trying to reach the Pod" in refused.stderr
