"""Pods are processes: how they start, end, are restarted, what they see, and what kubectl says about them."""
import subprocess

from harness import waiting
from harness.pods import POD_IP, container, pod, state


def phase(kubectl, name, namespace, wanted):
    return waiting.until(f"phase {wanted} of pod {name}",
                         lambda: (found := kubectl.get("pod", name, namespace)) and found["status"].get("phase") == wanted and found)


def test_exit_code_and_last_words(kubectl, namespace):
    kubectl.apply(pod("fails", namespace, "echo out; echo err >&2; echo why > /dev/termination-log; exit 3"),
                  pod("works", namespace, "true"))
    ended = state(phase(kubectl, "fails", namespace, "Failed"))["state"]["terminated"]
    assert ended["exitCode"] == 3 and ended["message"] == "why\n" and ended["reason"] == "Error"
    assert kubectl("logs", "fails", "-n", namespace) == "out\nerr\n"
    assert state(phase(kubectl, "works", namespace, "Succeeded"))["state"]["terminated"]["reason"] == "Completed"


def test_crashing_container_backs_off(kubectl, namespace):
    crashing = pod("crash", namespace, "echo boom; exit 1", "Always")
    crashing["spec"]["containers"][0]["terminationMessagePolicy"] = "FallbackToLogsOnError"
    kubectl.apply(crashing)

    def backs_off():
        status = state(kubectl.get("pod", "crash", namespace))
        return status["state"].get("waiting", {}).get("reason") == "CrashLoopBackOff" and status

    status = waiting.until("CrashLoopBackOff", backs_off)
    assert status["lastState"]["terminated"]["message"] == "boom\n"
    waiting.until("a third run", lambda: state(kubectl.get("pod", "crash", namespace))["restartCount"] >= 2)
    assert kubectl("logs", "crash", "-n", namespace, "--previous") == "boom\n"


def test_restart_on_failure_ends_with_success(kubectl, namespace):
    kubectl.apply(pod("twice", namespace, "[ -e /v/x ] && exit 0; touch /v/x; exit 1", "OnFailure",
                      volumes=[{"name": "v", "emptyDir": {}}],
                      containers=[container("[ -e /v/x ] && exit 0; touch /v/x; exit 1",
                                            volumeMounts=[{"name": "v", "mountPath": "/v"}])]))
    assert state(phase(kubectl, "twice", namespace, "Succeeded"))["restartCount"] == 1


def test_init_containers_run_in_order(kubectl, namespace):
    mount = {"volumeMounts": [{"name": "v", "mountPath": "/v"}]}
    kubectl.apply(pod("inits", namespace, "", volumes=[{"name": "v", "emptyDir": {}}],
                      initContainers=[container("echo 1 >> /v/x", "one", **mount), container("echo 2 >> /v/x", "two", **mount)],
                      containers=[container("cat /v/x", **mount)]))
    phase(kubectl, "inits", namespace, "Succeeded")
    assert kubectl("logs", "inits", "-n", namespace) == "1\n2\n"


def test_failing_init_container_fails_the_pod(kubectl, namespace):
    kubectl.apply(pod("init-fails", namespace, "echo never", initContainers=[container("exit 4", "one")]))
    found = phase(kubectl, "init-fails", namespace, "Failed")
    assert found["status"]["initContainerStatuses"][0]["state"]["terminated"]["exitCode"] == 4
    assert "running" not in state(found)["state"] and "terminated" not in state(found)["state"]


def test_deadline_ends_the_pod(kubectl, namespace):
    kubectl.apply(pod("late", namespace, "sleep 1000", activeDeadlineSeconds=1))
    assert phase(kubectl, "late", namespace, "Failed")["status"]["reason"] == "DeadlineExceeded"


def test_volumes_and_environment(kubectl, namespace):
    kubectl("create", "secret", "generic", "s", "-n", namespace, "--from-literal=user=me", "--from-literal=password=pass")
    kubectl("create", "configmap", "c", "-n", namespace, "--from-literal=COLOUR=blue")
    script = ("stat -c '%a %n' /etc/s/*; cat /etc/s/user; echo; cat /etc/c/colour; echo; echo $COLOUR $PASS $NAME $IP; "
              "cat /var/run/secrets/kubernetes.io/serviceaccount/namespace; echo; touch /usr/x 2>&1; head -c 9 /etc/hosts")
    sees = pod("sees", namespace, "", volumes=[
        {"name": "s", "secret": {"secretName": "s", "defaultMode": 0o400}},
        {"name": "c", "configMap": {"name": "c", "items": [{"key": "COLOUR", "path": "colour"}]}}])
    sees["spec"]["containers"] = [container(
        script, envFrom=[{"configMapRef": {"name": "c"}}],
        env=[{"name": "PASS", "valueFrom": {"secretKeyRef": {"name": "s", "key": "password"}}},
             {"name": "NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}, POD_IP, {"name": "IP", "value": "<$(POD_IP)>"}],
        volumeMounts=[{"name": "s", "mountPath": "/etc/s"}, {"name": "c", "mountPath": "/etc/c"}])]
    kubectl.apply(sees)
    found = phase(kubectl, "sees", namespace, "Succeeded")
    assert found["status"]["podIP"].startswith("127.")
    assert kubectl("logs", "sees", "-n", namespace).splitlines() == [
        "400 /etc/s/password", "400 /etc/s/user", "me", "blue", f"blue pass sees <{found['status']['podIP']}>", namespace,
        "touch: cannot touch '/usr/x': Read-only file system", "127.0.0.1"]


def test_missing_secret_is_waited_for(kubectl, namespace):
    waits = pod("waits", namespace, "cat /s/k", volumes=[{"name": "s", "secret": {"secretName": "later"}}])
    waits["spec"]["containers"][0]["volumeMounts"] = [{"name": "s", "mountPath": "/s"}]
    kubectl.apply(waits)
    waiting.until("the reason", lambda: "later" in str(state(kubectl.get("pod", "waits", namespace))["state"]))
    kubectl("create", "secret", "generic", "later", "-n", namespace, "--from-literal=k=there")
    phase(kubectl, "waits", namespace, "Succeeded")
    assert kubectl("logs", "waits", "-n", namespace) == "there"


def test_foreign_image_is_refused(kubectl, namespace):
    foreign = pod("foreign", namespace, "")
    foreign["spec"]["containers"] = [{"name": "main", "image": "docker.io/library/nginx:1"}]
    kubectl.apply(foreign)
    waiting.until("ErrImageNeverPull", lambda: state(kubectl.get("pod", "foreign", namespace))["state"].get("waiting", {}).get("reason") == "ErrImageNeverPull")
    assert "podman" in state(kubectl.get("pod", "foreign", namespace))["state"]["waiting"]["message"]


def follow(kubectl, name, namespace):
    """kubectl logs -f, which has said the first line already."""
    waiting.until("a first line", lambda: kubectl("logs", name, "-n", namespace, check=False).stdout)
    log = subprocess.Popen(["kubectl", "--kubeconfig", kubectl.kubeconfig, "logs", "-f", name, "-n", namespace], stdout=subprocess.PIPE, text=True)
    return log, log.stdout.readline()


def test_logs_follow_until_the_end(kubectl, namespace):
    kubectl.apply(pod("talks", namespace, "echo line 1; until [ -e /tmp/go ]; do sleep 0.1; done; for i in 2 3 4; do echo line $i; sleep 0.5; done"))
    log, first = follow(kubectl, "talks", namespace)
    kubectl("exec", "talks", "-n", namespace, "--", "touch", "/tmp/go")
    assert (first + log.communicate(timeout=waiting.SHORT)[0]).splitlines() == [f"line {i}" for i in range(1, 5)]
    assert kubectl("logs", "talks", "-n", namespace, "--tail=1") == "line 4\n"


def test_exec_runs_inside(kubectl, namespace):
    kubectl.apply(pod("shell", namespace, "exec sleep 1000"))
    waiting.until("a running container", lambda: state(kubectl.get("pod", "shell", namespace))["ready"])
    assert kubectl("exec", "shell", "-n", namespace, "--", "hostname") == "shell\n"
    assert kubectl("exec", "-i", "shell", "-n", namespace, "--", "cat", stdin="in and out") == "in and out"
    assert kubectl("exec", "shell", "-n", namespace, "--", "sh", "-c", "exit 5", check=False).returncode == 5


def test_deletion_asks_first_and_then_kills(kubectl, namespace, cluster):
    kubectl.apply(pod("polite", namespace, "trap 'echo bye; exit 0' TERM; echo here; while true; do sleep 0.1; done"),
                  pod("stubborn", namespace, "trap '' TERM; while true; do sleep 0.1; done"))
    for name in ("polite", "stubborn"):
        waiting.until("a running container", lambda one=name: state(kubectl.get("pod", one, namespace))["ready"])
    log, first = follow(kubectl, "polite", namespace)
    kubectl("delete", "pod", "polite", "stubborn", "-n", namespace)
    assert first + log.communicate(timeout=waiting.SHORT)[0] == "here\nbye\n"
    assert kubectl.get("pod", "stubborn", namespace) is None
    waiting.until("the end of the processes", lambda: not cluster.processes())


def test_what_a_container_leaves_behind_is_ended(kubectl, namespace, cluster):
    kubectl.apply(pod("forks", namespace, "sleep 1000 & exit 0"))
    phase(kubectl, "forks", namespace, "Succeeded")
    waiting.until("the end of the processes", lambda: not cluster.processes())


def test_pods_proxy_reaches_a_port(kubectl, namespace):
    kubectl.apply(pod("web", namespace, "", containers=[container(
        "cd /tmp; echo here > index.html; exec python3 -m http.server 8000 --bind $POD_IP", env=[POD_IP])]))
    path = f"/api/v1/namespaces/{namespace}/pods/web:8000/proxy/"
    waiting.until("an answer", lambda: kubectl("get", "--raw", path, check=False).stdout == "here\n")
