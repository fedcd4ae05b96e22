"""`gantry up` is killed, or stopped, and started again: what ran goes on, and nothing runs twice."""
import os
import pathlib
import signal

from harness import waiting
from harness.pods import pod, state


def running(cluster, name, namespace="default"):
    return waiting.until(f"pod {name} running", lambda: (found := cluster.kubectl.get("pod", name, namespace)) and
                         state(found)["ready"] and found)


def mark(process):
    """The Pod run that a process belongs to; None when it has ended meanwhile."""
    try:
        text = pathlib.Path(f"/proc/{process}/environ").read_text(encoding="utf-8")
    except OSError:
        return None
    environment = dict(entry.split("=", 1) for entry in text.split("\0") if "=" in entry)
    return environment.get("GANTRY_SANDBOX")


def test_pods_live_through_a_kill(own_cluster):
    kubectl = own_cluster.kubectl
    kubectl.apply(pod("counts", "default", "i=0; while true; do i=$((i+1)); echo $i; sleep 0.1; done", "Always"),
                  pod("ends", "default", "until [ -e /tmp/end ]; do sleep 0.1; done; exit 9"), pod("deleted", "default", "exec sleep 1000"))
    for name in ("counts", "ends", "deleted"):
        running(own_cluster, name)
    before = sorted(filter(None, map(mark, own_cluster.processes())))
    own_cluster.kill()
    own_cluster.start()
    assert state(running(own_cluster, "counts"))["restartCount"] == 0
    assert set(filter(None, map(mark, own_cluster.processes()))) <= set(before)
    kubectl("exec", "ends", "--", "touch", "/tmp/end")
    numbers = list(map(int, kubectl("logs", "counts").split()))
    assert numbers == list(range(1, len(numbers) + 1))
    ended = waiting.until("the end", lambda: state(kubectl.get("pod", "ends", "default"))["state"].get("terminated"))
    assert ended["exitCode"] == 9
    assert kubectl("exec", "counts", "--", "echo", "adopted") == "adopted\n"
    kubectl("delete", "pod", "counts", "ends", "deleted")
    waiting.until("the end of the processes", lambda: not own_cluster.processes())


def test_a_stop_ends_pods_and_a_start_runs_them_again(own_cluster):
    own_cluster.kubectl.apply(pod("service", "default", "exec sleep 1000", "Always"), pod("once", "default", "exec sleep 1000"))
    for name in ("service", "once"):
        running(own_cluster, name)
    own_cluster.stop()
    assert not own_cluster.processes()
    own_cluster.start()
    for name in ("service", "once"):
        assert state(running(own_cluster, name))["restartCount"] == 1
    own_cluster.kubectl("delete", "pod", "service", "once")


def test_a_sandbox_that_nobody_knows_is_ended(own_cluster):
    own_cluster.kubectl.apply(pod("lost", "default", "exec sleep 1000", "Always"))
    running(own_cluster, "lost")
    own_cluster.kill()
    for state_file in (own_cluster.data / "pods").glob("*/state"):
        state_file.unlink()
    old = set(own_cluster.processes())
    own_cluster.start()
    running(own_cluster, "lost")
    assert not old & set(own_cluster.processes())
    own_cluster.kubectl("delete", "pod", "lost")


def test_a_killed_container_is_restarted(own_cluster):
    own_cluster.kubectl.apply(pod("victim", "default", "exec sleep 1000", "Always"))
    running(own_cluster, "victim")
    for process in own_cluster.processes():
        if mark(process):
            try:
                os.kill(process, signal.SIGKILL)
            except ProcessLookupError:
                pass
    waiting.until("a restart", lambda: state(own_cluster.kubectl.get("pod", "victim", "default"))["restartCount"] == 1)
    running(own_cluster, "victim")
    own_cluster.kubectl("delete", "pod", "victim")
