"""What clients of the API count on beyond kubectl: conflicts, pages, watches and their history, limits, and a restart."""
import concurrent.futures
import http.client
import json
import os
import socket
import ssl
import subprocess
import threading
import time

import pytest

from harness import waiting
from harness.cluster import Cluster

from .conftest import Api


def config(name, **data):
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "labels": {"made": "here"}}, "data": data}


WRITES = int(os.environ.get("GANTRY_WRITES", "1500"))  # before the kill; ./test soak: 10,000
OURS = "labelSelector=made%3Dhere"  # not what a namespace comes with


def path_of(namespace, name=""):
    return f"/api/v1/namespaces/{namespace}/configmaps" + (f"/{name}" if name else "")


def version_of(item):
    return item["metadata"]["resourceVersion"]


def test_strangers_are_told_nothing(api):
    for token in ("", "wrong", api.token[:-1]):
        status, answer = api("GET", "/api/v1/namespaces", token=token)
        assert status == 401 and answer["reason"] == "Unauthorized"
    assert api("GET", "/readyz", token="")[0] == 200


def test_an_update_with_an_old_version_is_a_conflict(api, namespace):
    _, first = api("POST", path_of(namespace), config("c", a="1"))
    status, second = api("PUT", path_of(namespace, "c"), {**first, "data": {"a": "2"}})
    assert status == 200 and version_of(second) != version_of(first)
    status, answer = api("PUT", path_of(namespace, "c"), {**first, "data": {"a": "3"}})
    assert status == 409 and answer["reason"] == "Conflict" and "modified" in answer["message"]
    status, answer = api("POST", path_of(namespace), config("c"))
    assert status == 409 and answer["reason"] == "AlreadyExists"


def test_a_write_that_changes_nothing_has_no_new_version(api, namespace):
    _, first = api("POST", path_of(namespace), config("c", a="1"))
    _, same = api("PUT", path_of(namespace, "c"), first)
    assert version_of(same) == version_of(first)


def test_patches_at_once_all_arrive(api, namespace):
    api("POST", path_of(namespace), config("c"))

    def patch(number):
        return api("PATCH", path_of(namespace, "c"), json.dumps({"data": {f"k{number}": "x"}}),
                   Content_Type="application/merge-patch+json")[0]

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        assert set(pool.map(patch, range(40))) == {200}
    assert len(api("GET", path_of(namespace, "c"))[1]["data"]) == 40


def test_lists_come_in_pages(api, namespace):
    for number in range(25):
        api("POST", path_of(namespace), config(f"c{number:02}"))
    seen, token, pages = [], "", 0
    while True:
        _, page = api("GET", f"{path_of(namespace)}?{OURS}&limit=10&continue={token}")
        seen += [item["metadata"]["name"] for item in page["items"]]
        pages += 1
        token = page["metadata"].get("continue", "")
        if not token:
            break
    assert pages == 3 and len(seen) == 25 and seen == sorted(seen)
    assert api("GET", f"{path_of(namespace)}?limit=10&continue=nonsense")[0] == 400


def test_a_watch_goes_on_from_a_list_without_a_gap(api, namespace):
    _, listed = api("GET", path_of(namespace))
    api("POST", path_of(namespace), config("c", a="1"))
    _, changed = api("PUT", path_of(namespace, "c"), config("c", a="2"))
    api("DELETE", path_of(namespace, "c"))
    events = api.watch(f"{path_of(namespace)}?watch=true&resourceVersion={version_of(listed)}&timeoutSeconds=30")
    seen = [next(events) for _ in range(3)]
    assert [event["type"] for event in seen] == ["ADDED", "MODIFIED", "DELETED"]
    assert seen[1]["object"] == changed
    assert int(version_of(seen[2]["object"])) > int(version_of(changed))


def test_a_watch_with_a_selector_sees_objects_come_and_go(api, namespace):
    events = api.watch(f"{path_of(namespace)}?watch=true&labelSelector=on%3Dyes&resourceVersion={version_of(api('GET', path_of(namespace))[1])}")
    api("POST", path_of(namespace), config("other"))
    api("POST", path_of(namespace), config("c"))
    for labels in ({"on": "yes"}, {"on": "yes", "x": "y"}, {"on": "no"}):
        api("PUT", path_of(namespace, "c"), {**config("c"), "metadata": {"name": "c", "labels": labels}})
    assert [next(events)["type"] for _ in range(3)] == ["ADDED", "MODIFIED", "DELETED"]


def test_initial_events_end_with_a_bookmark(api, namespace):
    api("POST", path_of(namespace), config("c"))
    events = api.watch(f"{path_of(namespace)}?watch=true&{OURS}&sendInitialEvents=true&allowWatchBookmarks=true"
                       "&resourceVersionMatch=NotOlderThan")
    assert next(events)["object"]["metadata"]["name"] == "c"
    mark = next(events)
    assert mark["type"] == "BOOKMARK" and mark["object"]["metadata"]["annotations"]["k8s.io/initial-events-end"] == "true"


def test_a_watch_ends_at_its_timeout(api, namespace):
    began = time.monotonic()
    assert not list(api.watch(f"{path_of(namespace)}?watch=true&{OURS}&timeoutSeconds=1"))
    assert time.monotonic() - began > 0.5  # not at once; one without an end runs into the connection's own limit


def test_a_watch_from_a_forgotten_version_is_gone(api):
    events = api.watch("/api/v1/configmaps?watch=true&resourceVersion=1000000000")
    gone = next(events)
    assert gone["type"] == "ERROR" and gone["object"]["code"] == 410 and gone["object"]["reason"] == "Expired"


def test_what_got_another_owner_just_before_its_old_one_went_stays(api, namespace):
    """The garbage collector sees owners and dependents in streams of their own: of a dependent it may know less than of its owner's end."""
    def owned(name, owner, **data):
        reference = {"apiVersion": "v1", "kind": "Secret", "name": owner["metadata"]["name"], "uid": owner["metadata"]["uid"]}
        return {**config(name, **data), "metadata": {"name": name, "ownerReferences": [reference]}}

    def make(path, body):
        status, made = api("POST", path, body)
        assert status == 201, made
        return made

    def owner(name):
        return make(secrets, {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}})

    def hand_over(number):
        make(path_of(namespace), owned(f"kept-{number}", owner(f"old-{number}"), text="x" * 300_000))  # which slows the stream
        status, kept = api("PATCH", path_of(namespace, f"kept-{number}"), json.dumps(owned(f"kept-{number}", heir)),
                           Content_Type="application/merge-patch+json")
        assert status == 200, kept
        assert api("DELETE", f"{secrets}/old-{number}")[0] == 200

    secrets = f"/api/v1/namespaces/{namespace}/secrets"
    heir = owner("heir")
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(hand_over, range(100)))
    make(path_of(namespace), owned("goes", owner("last")))
    api("DELETE", f"{secrets}/last")
    waiting.until("the collector's turn", lambda: api("GET", path_of(namespace, "goes"))[0] == 404)
    left = {item["metadata"]["name"] for item in api("GET", path_of(namespace))[1]["items"]}
    assert not {f"kept-{number}" for number in range(100)} - left
    api("DELETE", path_of(namespace))  # 30 MB


def test_many_watchers_all_hear_of_a_change(api, namespace):
    heard, ready = [], threading.Semaphore(0)
    api("POST", path_of(namespace), config("a"))

    def listen():
        events = api.watch(f"{path_of(namespace)}?watch=true&{OURS}")
        next(events)
        ready.release()
        heard.append(next(events)["object"]["metadata"]["name"])

    threads = [threading.Thread(target=listen) for _ in range(50)]
    for thread in threads:
        thread.start()
    for _ in threads:
        assert ready.acquire(timeout=120)
    api("POST", path_of(namespace), config("zz"))
    for thread in threads:
        thread.join(timeout=120)
    assert heard == ["zz"] * 50


@pytest.mark.parametrize("method, path, body, headers, status", [
    ("GET", "/api/v1/nothings", None, {}, 404),
    ("GET", "/apis/none.example/v1/things", None, {}, 404),
    ("GET", "/nowhere", None, {}, 404),
    ("GET", "/api/v1/namespaces/default/configmaps/none", None, {}, 404),
    ("POST", "/api/v1/configmaps", config("c"), {}, 405),
    ("PUT", "/api/v1/namespaces/default/configmaps", config("c"), {}, 405),
    ("POST", "/api/v1/namespaces/default/configmaps", "{", {"Content-Type": "application/json"}, 400),
    ("POST", "/api/v1/namespaces/default/configmaps", "[]", {"Content-Type": "application/json"}, 400),
    ("POST", "/api/v1/namespaces/default/configmaps", "3", {"Content-Type": "application/json"}, 400),
    ("POST", "/api/v1/namespaces/default/configmaps", "a: [", {"Content-Type": "application/yaml"}, 400),
    ("POST", "/api/v1/namespaces/default/configmaps", "k8s\0\xff", {"Content-Type": "application/vnd.kubernetes.protobuf"}, 400),
    ("POST", "/api/v1/namespaces/default/configmaps", "x", {"Content-Type": "image/png"}, 415),
    ("POST", "/api/v1/namespaces/default/configmaps", {"kind": "Secret", "apiVersion": "v1", "metadata": {"name": "s"}}, {}, 400),
    ("POST", "/api/v1/namespaces/default/configmaps", {"metadata": {}}, {}, 422),
    ("POST", "/api/v1/namespaces/default/configmaps", {"metadata": []}, {}, 422),
    ("POST", "/api/v1/namespaces/default/configmaps", {"metadata": {"name": "a/b"}}, {}, 422),
    ("GET", "/api/v1/configmaps?labelSelector=a%20in", None, {}, 400),
    ("POST", "/api/v1/namespaces/default/configmaps?dryRun=Some", {"metadata": {"name": "x"}}, {}, 422),
    ("GET", "/api/v1/configmaps", None, {"Accept": "text/html"}, 406),
    ("PATCH", "/api/v1/namespaces/default/configmaps/none", "{}", {"Content-Type": "application/merge-patch+json"}, 404),
    ("PATCH", "/api/v1/namespaces/default/configmaps/none", "{}", {"Content-Type": "text/plain"}, 415),
    ("DELETE", "/api/v1/namespaces/default/configmaps/none", None, {}, 404),
    ("GET", "/api/v1/namespaces/default/pods/none/log", None, {}, 404),
    ("GET", "/api/v1/namespaces/default/pods/none/nothing", None, {}, 404),
])
def test_bad_requests_get_a_status(api, method, path, body, headers, status):
    answer = api(method, path, body, **{name.replace("-", "_"): value for name, value in headers.items()})
    assert answer[0] == status, answer
    assert answer[1]["kind"] == "Status" and answer[1]["code"] == status and answer[1]["message"]


def test_a_body_has_a_ceiling(api, namespace):
    status, _ = api("POST", path_of(namespace), json.dumps(config("big", a="x" * (4 << 20))), Content_Type="application/json")
    assert status == 413
    assert api("POST", path_of(namespace), config("fits", a="x" * (2 << 20)))[0] == 201


def test_a_body_without_end_is_cut_off(api, cluster):
    with socket.create_connection(("127.0.0.1", cluster.port), timeout=120) as plain, \
            api.trust.wrap_socket(plain, server_hostname="localhost") as link:
        link.sendall(f"POST /api/v1/namespaces/default/configmaps HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {api.token}\r\n"
                     "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n".encode())
        chunk = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
        for _ in range(100):
            link.sendall(chunk)
        link.sendall(b"0\r\n\r\n")
        assert link.recv(100).startswith(b"HTTP/1.1 413")


def test_a_reader_that_stops_reading_holds_nobody_up(api, namespace, cluster):
    with socket.create_connection(("127.0.0.1", cluster.port), timeout=120) as plain, \
            api.trust.wrap_socket(plain, server_hostname="localhost") as link:
        link.sendall(f"GET {path_of(namespace)}?watch=true HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {api.token}\r\n\r\n".encode())
        for number in range(20):
            assert api("POST", path_of(namespace), config(f"c{number}", a="x" * (1 << 20)))[0] == 201
    assert api("GET", path_of(namespace, "c19"))[0] == 200


def test_the_certificate_is_verified_by_the_ca_of_the_data_directory(api, cluster):
    with pytest.raises(ssl.SSLError), socket.create_connection(("127.0.0.1", cluster.port)) as plain:
        ssl.create_default_context().wrap_socket(plain, server_hostname="localhost")
    assert (cluster.data / "kubeconfig").stat().st_mode & 0o777 == 0o600
    assert (cluster.data / "pki/ca.key").stat().st_mode & 0o777 == 0o600


def test_a_second_up_on_the_same_directory_is_refused(cluster, gantry):
    result = subprocess.run([gantry, "up", "--bare", "--data", cluster.data, "--listen", "127.0.0.1:0"], capture_output=True, text=True,
                            timeout=120, check=False)
    assert result.returncode == 1 and "in use by another process" in result.stderr


def test_what_was_acknowledged_outlives_kill_9(gantry, tmp_path):
    cluster = Cluster(gantry, tmp_path, "--bare").start()
    acknowledged, stop = [], threading.Event()

    def write(worker):
        api = Api(cluster)
        link = api.connect()
        for number in range(100000):
            name = f"w{worker}-{number}"
            try:
                link.request("POST", path_of("default"), json.dumps(config(name, a="x" * 500)),
                             {"Authorization": f"Bearer {api.token}", "Content-Type": "application/json"})
                reply = link.getresponse()
                reply.read()
            except (OSError, http.client.HTTPException):
                return
            if reply.status == 201:
                acknowledged.append(name)
            if stop.is_set():
                return

    threads = [threading.Thread(target=write, args=(worker,)) for worker in range(4)]
    try:
        for thread in threads:
            thread.start()
        waiting.until(f"{WRITES} writes", lambda: len(acknowledged) >= WRITES, every=0.05)
        before = int(Api(cluster)("GET", path_of("default") + "?limit=1")[1]["metadata"]["resourceVersion"])
        cluster.kill()
        stop.set()
        for thread in threads:
            thread.join()
        cluster.start()
        api = Api(cluster)
        status, listed = api("GET", path_of("default"))
        assert status == 200
        assert set(acknowledged) <= {item["metadata"]["name"] for item in listed["items"]} 
        assert int(version_of(listed)) >= before
        gone = next(api.watch(f"{path_of('default')}?watch=true&resourceVersion=2"))
        assert gone["object"]["code"] == 410
        assert cluster.stop() == 0, cluster.report()
    finally:
        cluster.end_processes()
