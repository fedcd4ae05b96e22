"""Clients written for Forklift: the requests of kubectl-mtv and of the 2.3 console, in their order and form, each answer held against what that client reads.

kubectl-mtv's requests are those that its 0.3.25 sends (recorded from the program against this cluster; no registry has it, so it is not run here); the console's are its
write order and polling (it talks to the Kubernetes API, the inventory and the must-gather API with the user's token).
"""
import base64
import io
import json
import ssl
import tarfile
import time
import urllib.error
import urllib.request

import pytest
import yaml

from harness import waiting
from harness.cluster import condition_of

API = "/apis/forklift.konveyor.io/v1beta1/namespaces/openshift-mtv"
CORE = "/api/v1/namespaces/openshift-mtv"
KIND = "forklift.konveyor.io/v1beta1"
MERGE = "application/merge-patch+json"
# SelfSubjectAccessReview "may I list routes in openshift-mtv", as client-go packs it.
MAY_LIST_ROUTES = (b"k8s\0\n2\n\x17authorization.k8s.io/v1\x12\x17SelfSubjectAccessReview\x12W\n\x10\n\0\x12\0\x1a\0\"\0*\x002\x008\0B\0\x129\n7"
                   b"\n\ropenshift-mtv\x12\x04list\x1a\x12route.openshift.io\"\0*\x06routes2\0:\0\x1a\x08\x08\0\x12\0\x1a\0 \0\x1a\0\"\0")


class Client:
    """One HTTP client with a kubeconfig's token and CA."""

    def __init__(self, cluster):
        config = yaml.safe_load(cluster.kubectl.kubeconfig.read_text())
        self.token = config["users"][0]["user"]["token"]
        self.api = config["clusters"][0]["cluster"]["server"]
        self.inventory, self.must_gather = (f"https://127.0.0.1:{cluster.port + offset}" for offset in (2, 4))
        self.trust = ssl.create_default_context(cafile=str(cluster.data / "pki/ca.crt"))

    def send(self, method, url, body=None, kind="application/json", accept="application/json"):
        """(status, bytes); body: bytes, or what becomes JSON; url: a path is the Kubernetes API's."""
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {self.token}", "Accept": accept, **({"Content-Type": kind} if data is not None else {})}
        request = urllib.request.Request(url if "://" in url else self.api + url, data=data, headers=headers, method=method)
        try:
            with urllib.request.urlopen(request, context=self.trust, timeout=waiting.SHORT) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as refused:
            return refused.code, refused.read()

    def ask(self, method, url, body=None, **form):
        status, data = self.send(method, url, body, **form)
        assert status in (200, 201), f"{method} {url}: {status} {data[:500]}"
        return json.loads(data)

    def get(self, url):
        return self.ask("GET", url)

    def post(self, url, body):
        return self.ask("POST", url, body)

    def merge(self, url, body):
        return self.ask("PATCH", url, body, kind=MERGE)


@pytest.fixture(scope="module")
def vcenter(new_vcenter, random_disk, tmp_path_factory):
    disk = random_disk(tmp_path_factory.mktemp("disks") / "disk", 2048)
    return new_vcenter(vms=[{"name": f"web{n}", "powerOn": False, "memoryMB": 64, "disks": [{"file": str(disk)}],
                             "nics": [{"network": "VM Network", "mac": f"00:50:56:0f:00:0{n}"}]} for n in (1, 2, 3)])


@pytest.fixture(scope="module")
def client(module_cluster):
    return Client(module_cluster)


def secret(client, prefix, labels, **data):
    return client.post(f"{CORE}/secrets", {"apiVersion": "v1", "kind": "Secret", "type": "Opaque", "metadata": {
        "generateName": prefix, "namespace": "openshift-mtv", "creationTimestamp": None, "labels": labels},
        "data": {key: base64.b64encode(value.encode()).decode() for key, value in data.items()}})


def typed(kind, name, spec, **metadata):
    return {"apiVersion": KIND, "kind": kind, "metadata": {"name": name, "namespace": "openshift-mtv", **metadata}, "spec": spec}


def owner(thing):
    return {"apiVersion": thing["apiVersion"], "kind": thing["kind"], "name": thing["metadata"]["name"], "uid": thing["metadata"]["uid"]}


def ready(client, path, condition="Ready"):
    def look():
        thing = client.get(f"{API}/{path}")
        return thing if condition_of(thing, condition) else None

    return waiting.until(lambda: f"{condition} on {path}: {client.get(f'{API}/{path}').get('status')}", look)


# ---- kubectl-mtv ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def discovered(client):
    """The inventory's address, found as kubectl-mtv finds it."""
    definition = client.get("/apis/apiextensions.k8s.io/v1/customresourcedefinitions/providers.forklift.konveyor.io")
    assert isinstance(definition["metadata"].get("annotations", {}), dict)
    review = client.ask("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", MAY_LIST_ROUTES,
                        kind="application/vnd.kubernetes.protobuf")
    assert review["status"]["allowed"] is True
    route, = waiting.until("the inventory's Route", lambda: client.get(
        "/apis/route.openshift.io/v1/namespaces/openshift-mtv/routes?labelSelector=app%3Dforklift%2Cservice%3Dforklift-inventory")["items"])
    return "https://" + route["spec"]["host"]


@pytest.fixture(scope="module")
def provider(client, discovered, vcenter):
    """`create provider`: a Secret in kubectl-mtv's keys, the Provider, and the Secret read and written back with its owner."""
    made = secret(client, "mtv-vsphere-", {"createdForProviderType": "vsphere", "createdForResourceType": "providers"},
                  user=vcenter.user, password=vcenter.password, url=vcenter.url, **{"ca.crt": vcenter.ca})
    name = made["metadata"]["name"]
    new = client.post(f"{API}/providers", {**typed("Provider", "mtv", {"type": "vsphere", "url": vcenter.url, "secret": {
        "name": name, "namespace": "openshift-mtv"}}, creationTimestamp=None), "status": {}})
    current = client.get(f"{CORE}/secrets/{name}")
    current["metadata"]["ownerReferences"] = [owner(new)]
    client.ask("PUT", f"{CORE}/secrets/{name}", current)
    ready(client, "providers/host")
    return ready(client, "providers/mtv")


def test_mtv_shows_providers_with_their_counts(client, discovered, provider):
    listed = client.get(f"{API}/providers")
    assert listed["kind"] == "ProviderList" and {one["metadata"]["name"] for one in listed["items"]} == {"host", "mtv"}
    for one in ("ConnectionTestSucceeded", "Validated", "InventoryCreated", "Ready"):
        assert condition_of(provider, one)
    assert provider["status"]["phase"] == "Ready"
    by_type = client.get(f"{discovered}/providers?detail=1")
    assert all(isinstance(of_type, list) for of_type in by_type.values())
    found = {one["uid"]: one for one in by_type["vsphere"]}[provider["metadata"]["uid"]]
    assert found["vmCount"] == 3 and found["networkCount"] >= 1 and found["hostCount"] >= 1 and found["datastoreCount"] == 1
    alone = client.get(f"{discovered}/providers/vsphere/{found['uid']}?detail=1")
    assert (alone["product"], alone["vmCount"]) == (found["product"], 3)


@pytest.mark.parametrize("collection, fields", [
    ("vms", "id name powerState memoryMB cpuCount storageUsed guestId disks concerns revision path"),
    ("networks", "id name variant revision"),
    ("datastores", "id name type capacity free revision"),
    ("hosts", "id name status productVersion managementServerIp cpuCores cpuSockets inMaintenance cluster"),
    ("clusters", "id name drsEnabled dasEnabled"),
    ("datacenters", "id name"),
    ("folders", "id name"),
])
def test_mtv_reads_each_collection_of_vsphere(client, discovered, provider, collection, fields):
    base = f"{discovered}/providers/vsphere/{provider['metadata']['uid']}/{collection}"
    rows = client.get(f"{base}?detail=4")
    assert rows and not [field for field in fields.split() if field not in rows[0]]
    one = client.get(f"{base}/{rows[0]['id']}?detail=4")
    assert one["name"] == rows[0]["name"]


@pytest.mark.parametrize("collection, least", [("vms", 0), ("namespaces", 1), ("storageclasses", 1), ("networkattachmentdefinitions", 0),
                                               ("persistentvolumeclaims", 1), ("datavolumes", 0)])
def test_mtv_reads_each_collection_of_the_target(client, discovered, provider, collection, least):
    host, = client.get(f"{discovered}/providers?detail=1")["openshift"]

    def rows():
        return client.get(f"{discovered}/providers/openshift/{host['uid']}/{collection}?detail=4")

    waiting.until(f"{least} {collection}", lambda: len(rows()) >= least)
    assert all({"uid", "name", "object"} <= set(row) for row in rows())


def plan_of_mtv(client, discovered, provider, name, vms, **spec):
    """`create plan`: VMs' ids from the inventory, two maps, the Plan with every field that the program fills in, and the maps' owner."""
    uid = provider["metadata"]["uid"]
    ids = {vm["name"]: vm["id"] for vm in client.get(f"{discovered}/providers/vsphere/{uid}/vms")}
    network = next(one for one in client.get(f"{discovered}/providers/vsphere/{uid}/networks?detail=4") if one["name"] == "VM Network")
    datastore, = client.get(f"{discovered}/providers/vsphere/{uid}/datastores?detail=4")
    assert client.send("GET", f"{API}/plans/{name}")[0] == 404
    pair = {side: {"apiVersion": KIND, "kind": "Provider", "name": one, "namespace": "openshift-mtv"}
            for side, one in (("source", "mtv"), ("destination", "host"))}
    for kind, what, source, destination in (("NetworkMap", "network", network, {"type": "pod"}),
                                            ("StorageMap", "storage", datastore, {"storageClass": "standard"})):
        client.post(f"{API}/{kind.lower()}s", {**typed(kind, f"{name}-{what}-map", {"provider": pair, "map": [
            {"source": {"id": source["id"], "name": source["name"]}, "destination": destination}]}), "status": {}})
    plan = client.post(f"{API}/plans", {**typed("Plan", name, {
        "deleteVmOnFailMigration": True, "migrateSharedDisks": True, "preserveStaticIPs": True, "pvcNameTemplateUseGenerateName": True,
        "runPreflightInspection": False, "skipGuestConversion": True, "useCompatibilityMode": True, "targetNamespace": "default", "provider": pair,
        "map": {what: {"apiVersion": KIND, "kind": kind, "name": f"{name}-{what}-map", "namespace": "openshift-mtv"}
                for kind, what in (("NetworkMap", "network"), ("StorageMap", "storage"))},
        "vms": [{"id": ids[vm], "luks": {}, "name": vm} for vm in vms], **spec}), "status": {"migration": {}}})
    for what in ("network", "storage"):
        client.merge(f"{API}/{what}maps/{name}-{what}-map", {"metadata": {"ownerReferences": [owner(plan)]}})
    return plan


def start_of_mtv(client, plan):
    """`start plan`; kubectl-mtv finds the migration again by the plan's UID alone."""
    uid = plan["metadata"]["uid"]
    made = client.post(f"{API}/migrations", {"apiVersion": KIND, "kind": "Migration", "status": {}, "metadata": {
        "generateName": f"{plan['metadata']['name']}-", "namespace": "openshift-mtv", "ownerReferences": [owner(plan)]},
        "spec": {"plan": {"name": plan["metadata"]["name"], "namespace": "openshift-mtv", "uid": uid}}})
    assert made["spec"]["plan"]["uid"] == uid
    return made["metadata"]["name"]


def test_mtv_creates_starts_and_describes_a_plan_archives_and_deletes_it(client, discovered, provider):
    plan = plan_of_mtv(client, discovered, provider, "mtv", ["web1", "web2"])
    client.merge(f"{API}/plans/mtv", {"spec": {"description": "moved by kubectl-mtv"}})
    vms = client.get(f"{API}/plans/mtv")["spec"]["vms"]
    vms[1]["targetName"] = "webb"
    client.merge(f"{API}/plans/mtv", {"spec": {"vms": vms}})
    ready(client, "plans/mtv")
    name = start_of_mtv(client, plan)
    done = ready(client, f"migrations/{name}", "Succeeded")
    assert not condition_of(done, "Running") and len(done["status"]["vms"]) == 2
    for vm in done["status"]["vms"]:
        assert vm["phase"] == "Completed" and condition_of({"status": vm}, "Succeeded") and vm["started"] and vm["completed"]
        assert [step["name"] for step in vm["pipeline"]] == ["Initialize", "DiskTransfer", "VirtualMachineCreation"]
        for step in vm["pipeline"]:
            assert step["phase"] == "Completed" and step["started"] and step["completed"] and "total" in step["progress"]
        transfer = vm["pipeline"][1]
        assert transfer["annotations"]["unit"] == "MB" and transfer["tasks"][0]["progress"]["completed"] == transfer["tasks"][0]["progress"]["total"]
    assert condition_of(ready(client, "plans/mtv", "Succeeded"), "Succeeded")
    target = client.get("/apis/kubevirt.io/v1/namespaces/default/virtualmachines/webb")
    assert target["kind"] == "VirtualMachine"

    selector = f"plan%3D{plan['metadata']['uid']}%2Cmigration%3D{done['metadata']['uid']}"
    assert client.get(f"/api/v1/namespaces/default/pods?labelSelector={selector}")["kind"] == "PodList"
    assert client.get("/api/v1/namespaces/default/events")["kind"] == "EventList"

    client.merge(f"{API}/plans/mtv", {"spec": {"archived": True}})
    ready(client, "plans/mtv", "Archived")
    client.ask("DELETE", f"{API}/plans/mtv")
    waiting.until("end of the plan's maps", lambda: client.send("GET", f"{API}/networkmaps/mtv-network-map")[0] == 404)


def test_mtv_asks_for_a_cutover_and_cancels_a_vm(client, discovered, provider):
    """The plan is not Ready (the peer tracks no changes), so its Migration stays as it is: what counts is that each request is taken."""
    plan = plan_of_mtv(client, discovered, provider, "warm", ["web3"], warm=True, type="warm")
    assert plan["spec"]["warm"] is True
    name = start_of_mtv(client, plan)
    client.merge(f"{API}/migrations/{name}", {"spec": {"cutover": "2030-12-01T22:00:00+01:00"}})
    vm, = plan["spec"]["vms"]
    after = client.merge(f"{API}/migrations/{name}", {"spec": {"cancel": [{"name": vm["name"], "id": vm["id"]}]}})
    assert after["spec"]["cancel"] == [{"name": "web3", "id": vm["id"]}] and after["spec"]["cutover"]
    client.ask("DELETE", f"{API}/plans/warm")
    waiting.until("end of the migration", lambda: client.send("GET", f"{API}/migrations/{name}")[0] == 404)


def test_mtv_makes_hosts_and_hooks(client, provider, vcenter):
    esx = vcenter.hosts["DC0_H0"]["id"]
    made = secret(client, "esx-host-", {"createdForResource": "esx", "createdForResourceType": "hosts"}, user="root", password="x", insecureSkipVerify="true")
    host = client.post(f"{API}/hosts", {**typed("Host", "esx", {"id": esx, "ipAddress": "127.0.0.1", "name": "DC0_H0", "provider": {
        "apiVersion": KIND, "kind": "Provider", "name": "mtv", "namespace": "openshift-mtv"}, "secret": {"name": made["metadata"]["name"], "namespace": "openshift-mtv"}},
        ownerReferences=[{**owner(provider), "controller": True}]), "status": {}})
    assert host["spec"]["id"] == esx
    client.post(f"{API}/hooks", {**typed("Hook", "mtv", {"image": "quay.io/konveyor/hook-runner:latest",
                                                          "playbook": base64.b64encode(b"- hosts: localhost").decode()}), "status": {}})
    ready(client, "hooks/mtv")
    for one in ("hosts/esx", "hooks/mtv"):
        client.ask("DELETE", f"{API}/{one}")


def test_mtv_looks_after_the_health_and_settings_of_the_services(client, provider):
    """`health` and `settings`."""
    settings, = client.get(f"{API}/forkliftcontrollers")["items"]
    name = settings["metadata"]["name"]
    assert client.merge(f"{API}/forkliftcontrollers/{name}", {"spec": {"controller_max_vm_inflight": "7"}})["spec"]["controller_max_vm_inflight"] == "7"
    assert "controller_max_vm_inflight" not in client.merge(f"{API}/forkliftcontrollers/{name}", {"spec": {"controller_max_vm_inflight": None}})["spec"]
    services = {"forklift-controller", "forklift-validation", "forklift-ui", "forklift-must-gather-api"}

    def healthy():
        pods = client.get(f"{CORE}/pods?labelSelector=app%3Dforklift")["items"]
        there = {pod["metadata"]["name"].rsplit("-", 2)[0] for pod in pods} >= services
        return pods if there and all(condition_of(pod, "Ready") for pod in pods) else None

    for pod in waiting.until("Pods that are ready", healthy):
        assert all("restartCount" in one for one in pod["status"]["containerStatuses"])
    controller, = client.get(f"{CORE}/pods?labelSelector=app%3Dforklift%2Ccontrol-plane%3Dcontroller-manager")["items"]
    again, = client.get(f"{CORE}/pods?labelSelector=app.kubernetes.io%2Fname%3Dforklift-controller")["items"]
    assert again["metadata"]["uid"] == controller["metadata"]["uid"]
    for container in controller["spec"]["containers"]:
        status, log = client.send("GET", f"{CORE}/pods/{controller['metadata']['name']}/log?container={container['name']}&tailLines=100", accept="*/*")
        assert status == 200 and log
    assert client.send("GET", f"{API}/conversions?labelSelector=plan-name%3Dmtv")[0] == 404  # optional for it: a kind of later versions


# ---- the 2.3 console ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def console_provider(client, vcenter):
    """The write order of its dialog: the Secret, the Provider, the Secret's owner."""
    made = secret(client, "console-", {"createdForResourceType": "providers", "createdForResource": "console"},
                  user=vcenter.user, password=vcenter.password, thumbprint=vcenter.sha1)
    name = made["metadata"]["name"]
    listed = client.get(f"{CORE}/secrets?labelSelector=createdForResourceType%3Dproviders%2CcreatedForResource%3Dconsole")
    assert [one["metadata"]["name"] for one in listed["items"]] == [name]
    new = client.post(f"{API}/providers", typed("Provider", "console", {"type": "vsphere", "url": vcenter.url, "secret": {"name": name, "namespace": "openshift-mtv"}}))
    client.merge(f"{CORE}/secrets/{name}", {"metadata": {"ownerReferences": [owner(new)]}})
    return ready(client, "providers/console")


def test_the_console_polls_every_list(client, console_provider):
    for kind in ("providers", "networkmaps", "storagemaps", "plans", "migrations", "hosts", "hooks"):
        assert isinstance(client.get(f"{API}/{kind}")["items"], list)
    inventory = client.get(f"{client.inventory}//providers?detail=1")
    assert {"vsphere", "ovirt", "openshift"} <= set(inventory)
    found = next(one for one in inventory["vsphere"] if one["name"] == "console")
    assert {"uid", "namespace", "name", "selfLink", "type", "object", "clusterCount", "hostCount", "vmCount", "networkCount", "datastoreCount"} <= set(found)
    assert found["object"]["metadata"]["uid"] == found["uid"] and found["object"]["status"]["conditions"]


def test_the_console_reads_what_its_wizard_shows(client, console_provider):
    inventory = client.get(f"{client.inventory}//providers?detail=1")
    link = next(one for one in inventory["vsphere"] if one["name"] == "console")["selfLink"]
    host = inventory["openshift"][0]["selfLink"]

    def read(path):
        return client.get(f"{client.inventory}/{path}")

    def judged():
        vms = read(f"{link}/vms?detail=1")
        return vms if all(vm["revisionValidated"] == vm["revision"] for vm in vms) else None

    for vm in waiting.until("validation of every VM", judged):
        assert vm["name"] and vm["selfLink"] and vm["powerState"] == "poweredOff" and vm["isTemplate"] is False
        assert vm["networks"][0]["id"] and vm["disks"][0]["datastore"]["id"]
        assert all({"category", "label", "assessment"} <= set(concern) for concern in vm["concerns"])
    adapters = read(f"{link}/hosts?detail=1")[0]["networkAdapters"]
    assert adapters and {"name", "ipAddress", "subnetMask", "linkSpeed", "mtu"} <= set(adapters[0])
    for path in (f"{link}/networks", f"{link}/datastores"):
        assert all({"id", "name", "selfLink"} <= set(row) for row in read(path))
    for path in ("tree/host", "tree/vm"):
        tree = read(f"{link}/{path}")
        nodes, kinds = [tree], set()
        while nodes:
            node = nodes.pop()
            kinds.add(node["kind"])
            assert node["kind"] in ("", "Folder") or {"id", "name", "selfLink"} <= set(node["object"])
            nodes += node.get("children") or []
        assert "VM" in kinds and "Datacenter" in kinds
    assert any(row["name"] == "default" for row in read(f"{host}/namespaces"))
    assert isinstance(read(f"{host}/networkattachmentdefinitions"), list)
    classes = read(f"{host}/storageclasses?detail=1")
    assert classes[0]["object"]["metadata"]["annotations"]["storageclass.kubernetes.io/is-default-class"] == "true"


def test_the_console_makes_a_plan_starts_it_and_gets_its_logs(client, console_provider, vcenter):
    pair = {side: {"name": one, "namespace": "openshift-mtv"} for side, one in (("source", "console"), ("destination", "host"))}
    maps = {}
    for what, source, target in (("network", vcenter.networks["VM Network"], {"type": "pod"}),
                                 ("storage", vcenter.datastores["datastore1"], {"storageClass": "standard"})):
        made = client.post(f"{API}/{what}maps", {"apiVersion": KIND, "kind": f"{what.capitalize()}Map", "metadata": {
            "generateName": "console-", "namespace": "openshift-mtv", "annotations": {"forklift.konveyor.io/shared": "false"}},
            "spec": {"provider": pair, "map": [{"source": {"id": source}, "destination": target}]}})
        assert made["metadata"]["annotations"]["forklift.konveyor.io/shared"] == "false"
        maps[what] = made["metadata"]["name"]
    plan = client.post(f"{API}/plans", typed("Plan", "console", {
        "description": "", "warm": False, "provider": pair, "targetNamespace": "default", "transferNetwork": None, "skipGuestConversion": True, "runPreflightInspection": False,
        "map": {what: {"name": name, "namespace": "openshift-mtv"} for what, name in maps.items()},
        "vms": [{"id": vcenter.vms["web3"]["id"], "hooks": []}]}))
    for what, name in maps.items():
        client.merge(f"{API}/{what}maps/{name}", {"metadata": {"ownerReferences": [owner(plan)]}})
    ready(client, "plans/console")

    migration = f"console-{int(time.time() * 1000)}"
    client.post(f"{API}/migrations", typed("Migration", migration, {"plan": {"name": "console", "namespace": "openshift-mtv"}}, ownerReferences=[owner(plan)]))
    done = ready(client, "plans/console", "Succeeded")
    state = done["status"]["migration"]
    assert state["history"][-1]["migration"]["name"] == migration and state["history"][-1]["migration"]["namespace"] == "openshift-mtv"
    types = {condition["type"] for condition in done["status"]["conditions"]}
    assert "Executing" not in types and "Failed" not in types and "Canceled" not in types  # it looks at types, not at statuses
    vm, = state["vms"]
    assert vm["completed"] and not vm.get("error")
    transfer = next(step for step in vm["pipeline"] if step["name"] == "DiskTransfer")
    assert transfer["progress"]["completed"] == transfer["progress"]["total"] == 1 and transfer["annotations"]["unit"] == "MB"

    asked = client.post(f"{client.must_gather}/must-gather", {"custom-name": "plan:console", "command": "PLAN=console /usr/bin/targeted"})
    assert asked["status"] in ("new", "inprogress")

    def gathered():
        ours = [one for one in client.get(f"{client.must_gather}/must-gather") if one["custom-name"] == "plan:console"]
        last = max(ours, key=lambda one: one["created-at"])
        assert last["status"] != "error", last
        return last if last["status"] == "completed" else None

    record = waiting.until("the archive", gathered)
    status, data = client.send("GET", f"{client.must_gather}/must-gather/{record['id']}/data", accept="*/*")
    assert status == 200 and len(data) == int(record["archive-size"])
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        assert "must-gather/namespaces/openshift-mtv/crs/plan/console.yaml" in tar.getnames()
    client.merge(f"{API}/plans/console", {"spec": {"archived": True}})
    ready(client, "plans/console", "Archived")
