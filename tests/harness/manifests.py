"""The custom resources of a migration, written as the guide writes them (5.1)."""

NAMESPACE = "openshift-mtv"
API = "forklift.konveyor.io/v1beta1"


def _object(kind, name, spec):
    return {"apiVersion": API, "kind": kind, "metadata": {"name": name, "namespace": NAMESPACE}, "spec": spec}


def _ref(name):
    return {"name": name, "namespace": NAMESPACE}


def secret(name, user, password, **more):
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": NAMESPACE}, "type": "Opaque",
            "stringData": {"user": user, "password": password, **more}}


def provider(name, url, secret_name=None):
    return _object("Provider", name, {"type": "vsphere", "url": url, "secret": _ref(secret_name or name)})


def pair(source):
    return {"source": _ref(source), "destination": _ref("host")}


def network_map(name, source, entries):
    """entries: (source network by id or name, destination) pairs; destination "pod" or (namespace, name) of a definition."""
    return _object("NetworkMap", name, {
        "map": [{"source": origin, "destination": {"type": "pod"} if target == "pod" else
                 {"type": "multus", "namespace": target[0], "name": target[1]}} for origin, target in entries],
        "provider": pair(source)})


def storage_map(name, source, entries, storage_class="standard"):
    return _object("StorageMap", name, {
        "map": [{"source": origin, "destination": {"storageClass": storage_class, "accessMode": "ReadWriteOnce"}}
                for origin in entries],
        "provider": pair(source)})


def plan(name, source, vms, network=None, storage=None, target="default", **more):
    """Guests are not looked at unless the caller says so (runPreflightInspection): each look takes an appliance, and most disks hold none."""
    return _object("Plan", name, {
        "warm": False, "provider": pair(source), "runPreflightInspection": False,
        "map": {"network": _ref(network or name), "storage": _ref(storage or name)},
        "targetNamespace": target, "vms": vms, **more})


def migration(name, plan_name):
    return _object("Migration", name, {"plan": _ref(plan_name)})


def bridge_network(name, namespace="default", bridge=None):
    config = '{"cniVersion": "0.3.1", "type": "bridge", "bridge": "%s"}' % (bridge or name)
    return {"apiVersion": "k8s.cni.cncf.io/v1", "kind": "NetworkAttachmentDefinition",
            "metadata": {"name": name, "namespace": namespace}, "spec": {"config": config}}
