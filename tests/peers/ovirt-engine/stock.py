"""What the engine holds: every object as its REST API would show it, with numbers and booleans still as such (they become strings
when they are sent), made from the configuration.

Configuration (JSON), all optional:
  datacenters, clones   numbers: so many more data centers; so many VMs without disks' content, spread over all clusters
  networks              names beside "ovirtmgmt"; each gets a vNIC profile of its own name
  storageDomains        names; the first is the default of disks
  hosts                 names; the first is where VMs run
  vms                   [{name, powerOn, memoryMB, cpus, nics: [{network, mac, interface}], json: {…} merged over the VM,
                          disks: [{file, format: "raw"|"qcow2", interface, storageDomain, bootable, json: {…} merged over the disk}]}]
"""
import json
import os
import subprocess
import uuid

API = "/ovirt-engine/api"

# kind: its collection, and the members that are shown only to those who follow them
KINDS = {
    "data_center": ("datacenters", ()),
    "cluster": ("clusters", ()),
    "host": ("hosts", ("network_attachments", "nics")),
    "network": ("networks", ("vnic_profiles",)),
    "vnic_profile": ("vnicprofiles", ()),
    "disk_profile": ("diskprofiles", ()),
    "storage_domain": ("storagedomains", ()),
    "disk": ("disks", ()),
    "vm": ("vms", ("disk_attachments", "host_devices", "snapshots", "watchdogs", "cdroms", "nics")),
}


def identity(*words):
    """The same id for the same words, at each start."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, "/".join(map(str, words))))


def ref(kind, one):
    return {"href": f"{API}/{KINDS[kind][0]}/{one['id']}", "id": one["id"]}


def merge(into, more):
    for key, value in (more or {}).items():
        if isinstance(value, dict) and isinstance(into.get(key), dict):
            merge(into[key], value)
        else:
            into[key] = value
    return into


def virtual_size(path, form):
    answer = subprocess.run(["qemu-img", "info", "-U", "-f", form, "--output=json", path], check=True, capture_output=True)
    return json.loads(answer.stdout)["virtual-size"]


class Stock:
    """kinds: {kind: {id: object}}. files: disk id → (path, format)."""

    def __init__(self, config, host_address):
        self.host_address = host_address
        self.kinds = {kind: {} for kind in KINDS}
        self.files = {}
        self._places = []
        for number in range(config.get("datacenters", 0) + 1):
            self._add_datacenter("Default" if number == 0 else f"DC{number}", config)
        for vm in config.get("vms", []):
            self.add_vm(vm)
        for number in range(config.get("clones", 0)):
            self._add_clone(number)

    def add(self, kind, one):
        one.setdefault("href", f"{API}/{KINDS[kind][0]}/{one['id']}")
        self.kinds[kind][one["id"]] = one
        return one

    def named(self, kind, name):
        return next(one for one in self.kinds[kind].values() if one["name"] == name)

    def _add_datacenter(self, name, config):
        center = self.add("data_center", {"id": identity("dc", name), "name": name, "description": f"data center {name}"})
        place = {"center": center, "networks": {}, "domains": {}}
        self._places.append(place)
        for domain in config.get("storageDomains", ["data"]):
            self._add_domain(place, domain)
        for network in ["ovirtmgmt", *config.get("networks", [])]:
            self._add_network(place, network)
        place["cluster"] = self.add("cluster", {
            "id": identity("cluster", name), "name": f"{name} cluster" if name != "Default" else "Default", "data_center": ref("data_center", center),
            "ha_reservation": False, "ksm": {"enabled": False}, "bios_type": "q35_sea_bios",
            "cpu": {"architecture": "x86_64", "type": "Intel Cascadelake Server Family"}, "version": {"major": 4, "minor": 7}})
        place["hosts"] = [self._add_host(place, host) for host in config.get("hosts", ["host1"])]

    def _add_domain(self, place, name):
        center = place["center"]
        domain = self.add("storage_domain", {
            "id": identity("domain", center["name"], name), "name": name, "type": "data", "storage": {"type": "nfs"},
            "available": 500 << 30, "used": 100 << 30, "status": "active", "data_centers": {"data_center": [ref("data_center", center)]}})
        profile = self.add("disk_profile", {"id": identity("disk profile", domain["id"]), "name": name, "storage_domain": ref("storage_domain", domain)})
        place["domains"][name] = (domain, profile)

    def _add_network(self, place, name):
        center = place["center"]
        network = self.add("network", {"id": identity("network", center["name"], name), "name": name, "data_center": ref("data_center", center),
                                       "usages": {"usage": ["vm", "management"] if name == "ovirtmgmt" else ["vm"]}})
        profile = self.add("vnic_profile", {"id": identity("profile", network["id"]), "name": name, "network": ref("network", network),
                                            "pass_through": {"mode": "disabled"}, "port_mirroring": False})
        network["vnic_profiles"] = {"vnic_profile": [ref("vnic_profile", profile)]}
        place["networks"][name] = (network, profile)

    def _add_host(self, place, name):
        nic = {"id": identity("host nic", place["center"]["name"], name), "name": "eth0", "speed": 10_000_000_000, "mtu": 1500,
               "ip": {"address": self.host_address, "netmask": "255.255.255.0"}}
        attachments = [{"id": identity("attachment", name, network["id"]), "network": ref("network", network)} for network, _ in place["networks"].values()]
        return self.add("host", {
            "id": identity("host", place["center"]["name"], name), "name": name, "address": self.host_address, "status": "up",
            "cluster": ref("cluster", place["cluster"]), "os": {"type": "RHEL", "version": {"full_version": "8.6 - 1.el8"}},
            "cpu": {"topology": {"sockets": 2, "cores": 16, "threads": 1}}, "nics": {"host_nic": [nic]},
            "network_attachments": {"network_attachment": attachments}})

    # ---- VMs

    def _bare_vm(self, name, place):
        return {
            "id": identity("vm", place["center"]["name"], name), "name": name, "description": "", "status": "down",
            "cluster": ref("cluster", place["cluster"]), "memory": 1 << 30, "stop_time": 1700000000000,
            "guest_operating_system": {"distribution": "", "version": {"full_version": ""}}, "os": {"type": "rhel_8x64"},
            "cpu": {"topology": {"sockets": 1, "cores": 1, "threads": 1}, "architecture": "x86_64"}, "cpu_shares": 0, "cpu_pinning_policy": "none",
            "usb": {"enabled": False}, "time_zone": {"name": "Etc/GMT"}, "stateless": False, "placement_policy": {"affinity": "migratable"},
            "io": {"threads": 1}, "bios": {"type": "cluster_default", "boot_menu": {"enabled": False}}, "display": {"type": "vnc"},
            "has_illegal_images": False, "storage_error_resume_behaviour": "auto_resume", "memory_policy": {"ballooning": False},
            "high_availability": {"enabled": False}, "host_devices": {}, "watchdogs": {}, "nics": {}, "disk_attachments": {},
            "cdroms": {"cdrom": [{"id": "00000000-0000-0000-0000-000000000000"}]},
            "snapshots": {"snapshot": [{"id": identity("snapshot", name), "description": "Active VM", "snapshot_type": "active",
                                        "persist_memorystate": False}]}}

    def add_vm(self, config):
        place = self._places[0]
        vm = self._bare_vm(config["name"], place)
        vm["memory"] = config.get("memoryMB", 1024) << 20
        vm["cpu"]["topology"]["sockets"] = config.get("cpus", 1)
        if config.get("powerOn"):
            vm.update(status="up", host=ref("host", place["hosts"][0]), start_time=1700000000000)
        nics = [self._nic(vm, place, number, nic) for number, nic in enumerate(config.get("nics", []))]
        disks = [self._attach(vm, place, number, disk) for number, disk in enumerate(config.get("disks", []))]
        vm["nics"] = {"nic": nics} if nics else {}
        vm["disk_attachments"] = {"disk_attachment": disks} if disks else {}
        return self.add("vm", merge(vm, config.get("json")))

    def _nic(self, vm, place, number, config):
        _, profile = place["networks"][config.get("network", "ovirtmgmt")]
        return {"id": identity("nic", vm["id"], number), "name": f"nic{number + 1}", "interface": config.get("interface", "virtio"),
                "mac": {"address": config["mac"]}, "plugged": True, "vnic_profile": ref("vnic_profile", profile)}

    def _attach(self, vm, place, number, config):
        default = next(iter(place["domains"]))
        domain, profile = place["domains"][config.get("storageDomain", default)]
        disk_id, path = identity("disk", vm["id"], number), config.get("file")
        form = config.get("format", "raw")
        size = virtual_size(path, form) if path else config.get("size", 1 << 30)
        disk = {"id": disk_id, "name": f"{vm['name']}_Disk{number + 1}", "alias": f"{vm['name']}_Disk{number + 1}",
                "provisioned_size": size, "actual_size": os.stat(path).st_blocks * 512 if path else 0, "status": "ok", "storage_type": "image",
                "format": "cow" if form == "qcow2" else "raw", "sparse": form == "qcow2", "image_id": identity("image", disk_id), "backup": "none",
                "shareable": False, "sharable": False, "disk_profile": ref("disk_profile", profile),
                "storage_domains": {"storage_domain": [ref("storage_domain", domain)]}}
        disk = self.add("disk", merge(disk, config.get("json")))
        if path:
            self.files[disk_id] = (path, form)
        return {"id": disk_id, "interface": config.get("interface", "virtio_scsi"), "uses_scsi_reservation": False,
                "bootable": config.get("bootable", number == 0), "active": True, "disk": ref("disk", disk)}

    def _add_clone(self, number):
        place = self._places[number % len(self._places)]
        vm = self._bare_vm(f"clone-{number:05d}", place)
        mac = f"56:6f:{number >> 24 & 255:02x}:{number >> 16 & 255:02x}:{number >> 8 & 255:02x}:{number & 255:02x}"
        vm["nics"] = {"nic": [self._nic(vm, place, 0, {"mac": mac})]}
        vm["disk_attachments"] = {"disk_attachment": [self._attach(vm, place, 0, {"size": 10 << 30})]}
        self.add("vm", vm)
