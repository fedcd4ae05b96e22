"""The inventory's REST interface line by line, as clients of Forklift's know it: routes, levels of detail, parameters, links, paths, status
codes, and what Gantry adds on request."""
import gzip
import json
import urllib.error
import urllib.request

import pytest

from harness import manifests, waiting

BASE = {"id", "parent", "path", "revision", "name", "selfLink"}
REF = {"kind", "id"}
# What level 1 adds; of VMs also what the highest level adds.
LEVEL_1 = {
    "folders": {"folder", "datacenter", "children"},
    "datacenters": {"datastores", "networks", "clusters", "vms"},
    "clusters": {"folder", "networks", "datastores", "hosts", "dasEnabled", "dasVms", "drsEnabled", "drsBehavior", "drsVms"},
    "hosts": {"cluster", "status", "inMaintenance", "managementServerIp", "thumbprint", "timezone", "cpuSockets", "cpuCores", "productName",
              "productVersion", "networking", "networks", "datastores", "vms", "networkAdapters", "memoryBytes", "hostScsiDisks",
              "advancedOptions", "vmotionSupported", "storageVmotionSupported"},
    "networks": {"vlanId"},
    "datastores": {"type", "capacity", "free", "maintenance", "backingDevicesNames", "storageIORMSupported", "iormEnabled",
                   "iormCongestionThreshold", "iormCongestionThresholdMode", "iormPercentOfPeakThroughput"},
    "vms": {"revisionValidated", "isTemplate", "powerState", "host", "networks", "disks", "concerns"},
}
VM_FULL = {
    "policyVersion", "uuid", "firmware", "connectionState", "snapshot", "changeTrackingEnabled", "cpuAffinity", "cpuHotAddEnabled",
    "cpuHotRemoveEnabled", "memoryHotAddEnabled", "faultToleranceEnabled", "cpuCount", "coresPerSocket", "memoryMB", "guestName", "guestId",
    "balloonedMemory", "ipAddress", "storageUsed", "numaNodeAffinity", "devices", "nics", "instanceUuid", "consolidationNeeded",
    "guestNameFromVmwareTools", "hostName", "tpmEnabled", "secureBoot", "toolsStatus", "toolsRunningStatus", "toolsVersionStatus2",
    "diskEnableUuid", "nestedHVEnabled", "guestNetworks", "guestDisks", "guestIpStacks", "guestApps", "customDef", "customValues", "tags"}
DISK = {"key", "file", "datastore", "capacity", "shared", "rdm", "unitNumber", "controllerKey", "bus", "mode", "serial",
        "changeTrackingEnabled", "parent"}
NIC = {"network", "mac", "order", "deviceKey", "pciAddress", "startConnected"}
NETWORKING = {"pNICs", "vNICs", "portGroups", "switches"}


def named(items, name):
    return next(item for item in items if item["name"] == name)


# ---- routes

def test_the_schema_needs_no_token(cluster, inventory):
    status, _, schema = inventory.ask("schema", token="")
    assert status == 200 and schema["release"]
    for collection in LEVEL_1:
        assert f"/providers/vsphere/:provider/{collection}" in schema["paths"]
        assert f"/providers/vsphere/:provider/{collection}/:id" in schema["paths"]
    for route in ("/providers", "/providers/vsphere/:provider/workloads/:vm", "/providers/vsphere/:provider/tree/host",
                  "/providers/vsphere/:provider/tree/vm", "/providers/openshift/:provider/storageclasses"):
        assert route in schema["paths"]


@pytest.mark.parametrize("collection", LEVEL_1)
def test_every_collection_has_its_levels_and_links(cluster, inventory, source, collection):
    for detail, extra in ((0, set()), (1, LEVEL_1[collection]), ("all", LEVEL_1[collection] | (VM_FULL if collection == "vms" else set()))):
        items = inventory.get(f"{source}/{collection}?detail={detail}")
        assert items
        for item in items:
            # The root folder has no path; a variant is there only where there are several.
            assert BASE - {"path"} | extra <= item.keys(), f"detail {detail}: {BASE | extra - item.keys()}"
            assert item["parent"].keys() == REF and item["selfLink"] == f"{source}/{collection}/{item['id']}"
            if detail == 0:
                assert item.keys() <= BASE | {"variant"}
            elif detail == 1 and collection == "vms":
                assert not item.keys() & VM_FULL
    one = inventory.get(items[0]["selfLink"])
    assert one == items[0]


def test_collections_end_with_or_without_a_slash(cluster, inventory, source):
    assert inventory.get(f"{source}/vms/") == inventory.get(f"{source}/vms")


def test_the_parts_of_a_vm_are_whole(cluster, inventory, source):
    vm = inventory.get(named(inventory.get(f"{source}/vms"), "two")["selfLink"])
    assert len(vm["disks"]) == 2 and all(DISK <= disk.keys() and disk["datastore"].keys() == REF for disk in vm["disks"])
    assert vm["disks"][0]["file"].startswith("[datastore1] ") and vm["disks"][0]["bus"] == "scsi" and vm["disks"][0]["capacity"] == 1 << 20
    assert len(vm["nics"]) == 1 and NIC <= vm["nics"][0].keys() and vm["nics"][0]["mac"] == "00:50:56:0d:00:01"
    assert vm["snapshot"] == {"kind": "", "id": ""} and vm["host"].startswith("host-") and vm["powerState"] == "poweredOff"


def test_a_stand_alone_host_is_no_cluster_in_lists_only(cluster, inventory, source):
    alone = named(inventory.get(f"{source}/hosts?detail=1"), "DC0_H0")
    assert alone["cluster"] not in {item["id"] for item in inventory.get(f"{source}/clusters")}
    assert inventory.get(f"{source}/clusters/{alone['cluster']}")["variant"] == "ComputeResource"
    assert NETWORKING == alone["networking"].keys() and alone["networkAdapters"][0]["ipAddress"]


def test_an_option_of_a_host_is_asked_for_by_name(cluster, inventory, source, vcenter):
    host = inventory.get(f"{source}/hosts")[0]["selfLink"]
    assert inventory.get(host)["advancedOptions"] is None
    _, headers, answer = inventory.ask(f"{host}?advancedOption=Config.HostAgent.log.level")
    assert answer["advancedOptions"] == [{"key": "Config.HostAgent.log.level", "value": "info"}] and "ETag" not in headers
    assert inventory.get(f"{host}?advancedOption=No.Such")["advancedOptions"] is None
    assert inventory.ask(f"{source}/hosts/none?advancedOption=No.Such")[0] == 404
    assert inventory.ask(f"{host}?advancedOption=" + 1025 * "x")[0] == 400
    waiting.until("the same list", lambda: inventory.get(f"{source}/hosts?advancedOption=x") == inventory.get(f"{source}/hosts"))


def test_networks_say_their_variant(cluster, inventory, source):
    found = {}
    for item in inventory.get(f"{source}/networks?detail=1"):
        found.setdefault(item["variant"], item)
    assert found.keys() >= {"Standard", "DvPortGroup", "DvSwitch"}
    assert found["DvPortGroup"]["dvSwitch"]["id"] == found["DvSwitch"]["id"] and "key" in found["DvPortGroup"]
    assert all(member.keys() == {"Host", "PNIC"} for member in found["DvSwitch"]["host"])


def test_paths_begin_below_the_root(cluster, inventory, source):
    assert named(inventory.get(f"{source}/datacenters"), "DC0")["path"] == "/DC0"
    assert named(inventory.get(f"{source}/vms"), "one")["path"] == "/DC0/vm/one"
    assert all("path" not in item for item in inventory.get(f"{source}/folders") if item["parent"]["id"] == "")


# ---- providers

def test_a_provider_counts_what_it_holds(cluster, inventory, source):
    provider = inventory.get(source)
    for kind in ("datacenters", "hosts", "vms", "networks", "datastores"):
        assert provider[kind.removesuffix("s") + "Count"] == len(inventory.get(f"{source}/{kind}")), kind
    assert provider["apiVersion"].startswith("8.") and provider["product"] and provider["type"] == "vsphere"
    assert inventory.get("providers/vsphere")[0].keys() == {"uid", "id", "version", "namespace", "name", "selfLink"}


def test_providers_can_be_narrowed(cluster, inventory, source):
    assert set(inventory.get("providers")) >= {"openshift", "vsphere", "ovirt"}
    assert inventory.get("providers?namespace=nowhere")["vsphere"] == []
    assert len(inventory.get("providers?namespace=openshift-mtv")["vsphere"]) == 1
    assert inventory.get("providers/vsphere?offset=1") == [] and inventory.get("providers/vsphere?limit=0") == []
    assert inventory.get("providers/vsphere?name=vc")[0]["selfLink"] == source


# ---- parameters

def test_pages_put_together_are_the_list(cluster, inventory, source):
    whole = inventory.get(f"{source}/networks")
    pages = [inventory.get(f"{source}/networks?limit=1&offset={at}") for at in range(len(whole) + 1)]
    assert sum(pages, []) == whole and pages[-1] == []


@pytest.mark.parametrize("collection, name, count", [
    ("vms", "one", 1), ("vms", "One", 0), ("vms", "vm/one", 1), ("vms", "DC0/vm/one", 1), ("hosts", "DC0_H0", 1), ("hosts", "/DC0/DC0_H0", 1),
    ("networks", "DC0/VM%20Network", 1), ("datastores", "datastore1", 1), ("datacenters", "DC0", 1),
])
def test_names_find_by_their_last_element(cluster, inventory, source, collection, name, count):
    assert len(inventory.get(f"{source}/{collection}?name={name}")) == count


# ---- trees

def test_trees_begin_at_datacenters(cluster, inventory, source):
    for tree, first in (("host", "host"), ("vm", "vm")):
        root = inventory.get(f"{source}/tree/{tree}?detail=1")
        assert root["kind"] == "" and root["object"] is None
        center = root["children"][0]
        assert center["kind"] == "Datacenter" and center["object"]["name"] == "DC0" and center["object"]["vms"].keys() == REF

        def leaves(node):
            return [node] if not node["children"] else [leaf for child in node["children"] for leaf in leaves(child)]

        vms = [leaf for leaf in leaves(center) if leaf["kind"] == "VM"]
        assert vms and all(vm["children"] is None and "powerState" in vm["object"] for vm in vms), first


# ---- refusals

@pytest.mark.parametrize("path, status", [
    ("{source}/vms/none", 404), ("{source}/workloads/none", 404), ("{source}/tree/none", 404), ("{source}/bananas", 404), ("none", 404),
    ("providers/none", 404), ("providers/vsphere/none", 404), ("{source}/vms?limit=-1", 400), ("{source}/vms?offset=x", 400),
    ("{source}/vms?detail=x", 400), ("{source}/vms?total=x", 400), ("{source}/vms?q=a%20b=c", 400),
])
def test_a_refusal_has_a_reason_and_no_body(cluster, inventory, source, path, status):
    answered, headers, body = inventory.ask(path.format(source=source))
    assert (answered, body) == (status, None)
    assert headers["X-Reason"] and headers["forklift-error-message"] == headers["X-Reason"]


def test_a_route_of_another_type_is_not_there(cluster, inventory, source):
    assert inventory.ask(source.replace("vsphere", "openshift"))[0] == 404


def test_it_is_only_read(cluster, inventory, source):
    for method in ("POST", "PUT", "DELETE", "PATCH"):
        request = urllib.request.Request(f"https://127.0.0.1:{inventory.port}/{source}/vms", method=method, data=b"{}",
                                         headers={"Authorization": f"Bearer {inventory.token}"})
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(request, timeout=waiting.SHORT, context=inventory.context)
        assert refused.value.code == 405 and refused.value.headers["X-Reason"]


def test_a_foreign_origin_is_refused(cluster, inventory, source):
    status, headers, _ = inventory.ask("providers", Origin="https://evil.example")
    assert status == 403 and "CORS_ALLOWED_ORIGINS" in headers["X-Reason"]


def test_a_provider_that_is_not_loaded_is_partial_content(cluster, kubectl, inventory, source):
    cluster.allow("the connection to a provider ended")
    kubectl.apply(manifests.secret("dead", "a", "b"), manifests.provider("dead", "https://127.0.0.1:1/sdk"))
    path = "providers/vsphere/" + kubectl.get("provider", "dead")["metadata"]["uid"]
    waiting.until("provider that is known", lambda: any(one["name"] == "dead" for one in inventory.get("providers/vsphere")))
    assert inventory.ask(path, token="wrong")[0] == 401, "authorisation comes first"
    status, headers, body = inventory.ask(f"{path}/vms")
    assert (status, body) == (206, None) and "not loaded" in headers["X-Reason"]
    kubectl("delete", "provider", "dead", "-n", "openshift-mtv")


# ---- authorisation (who may what: src/kube/authorizer_test.c; the local API lets every valid token do everything)

def test_nothing_is_served_without_a_valid_token(cluster, inventory, source):
    for path in ("providers", "providers/vsphere", source, f"{source}/vms", f"{source}/vms/none", f"{source}/workloads/none",
                 f"{source}/tree/vm", "providers/vsphere/none/vms"):
        for token in ("", "wrong", "a b"):
            status, headers, body = inventory.ask(path, token=token)
            assert (status, body) == (401, None) and headers["X-Reason"], path


# ---- on request

def test_the_total_is_told_to_who_asks(cluster, inventory, source):
    everything = len(inventory.get(f"{source}/networks"))
    assert inventory.ask(f"{source}/networks?limit=1&total=true")[1]["X-Total-Count"] == str(everything)
    assert inventory.ask(f"{source}/networks?limit=1")[1]["X-Total-Count"] is None
    assert inventory.ask(f"{source}/vms?limit=1&total=true&q=name=one")[1]["X-Total-Count"] == "1"
    assert inventory.ask(f"{source}/clusters?limit=0&total=true")[1]["X-Total-Count"] == str(len(inventory.get(f"{source}/clusters")))


def test_what_a_client_has_is_not_sent_again(cluster, inventory, source, vcenter):
    vm = inventory.get(f"{source}/vms?name=one")[0]["selfLink"]

    def unchanged():
        """The tag of an answer that is not sent again; anything that is written between two questions changes it."""
        tag = inventory.ask(vm)[1]["ETag"]
        status, _, body = inventory.ask(vm, **{"If-None-Match": tag})
        return (status, body) == (304, None) and tag

    tag = waiting.until("an answer that is not sent again", unchanged)
    vcenter.power("one", "on")
    waiting.until("another tag", lambda: inventory.ask(vm, **{"If-None-Match": tag})[0] == 200)
    vcenter.power("one", "off")
    waiting.until("the VM as before", lambda: (now := inventory.get(vm))["powerState"] == "poweredOff" and now["revision"] == now["revisionValidated"])


def test_filters_and_sorting_are_the_servers(cluster, inventory, source):
    assert [vm["name"] for vm in inventory.get(f"{source}/vms?q=-name")] == ["two", "one"]
    assert [vm["name"] for vm in inventory.get(f"{source}/vms?q=name&limit=1")] == ["one"]
    assert [vm["name"] for vm in inventory.get(f"{source}/vms?q=disks.bus=scsi,name!=one")] == ["two"]


def test_answers_are_compressed_for_who_wants_it(cluster, inventory, source):
    request = urllib.request.Request(f"https://127.0.0.1:{inventory.port}/{source}/vms?detail=all",
                                     headers={"Authorization": f"Bearer {inventory.token}", "Accept-Encoding": "gzip"})
    with urllib.request.urlopen(request, timeout=waiting.SHORT, context=inventory.context) as answer:
        packed = answer.read()
        assert answer.headers["Content-Encoding"] == "gzip" and answer.headers["Content-Type"] == "application/json; charset=utf-8"
    names = {vm["name"] for vm in json.loads(gzip.decompress(packed))}
    assert names == {vm["name"] for vm in inventory.get(f"{source}/vms")}
