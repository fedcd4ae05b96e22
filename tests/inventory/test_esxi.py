"""A Provider whose endpoint is an ESXi host instead of a vCenter."""
from harness import waiting


def test_an_esxi_host_is_an_inventory_of_its_own(new_vcenter, random_disk, bare_inventory, tmp_path):
    disk = str(random_disk(tmp_path / "disk.raw", 2048))
    esxi = new_vcenter(standalone=True, vms=[{"name": name, "disks": [{"file": disk}], "nics": [{"network": "VM Network", "mac": mac}]}
                                             for name, mac in (("one", "00:50:56:0e:01:01"), ("two", "00:50:56:0e:01:02"))])
    bare_inventory.add("esxi", esxi)
    source = bare_inventory.path("esxi")
    waiting.until("a loaded inventory", lambda: bare_inventory.ask(f"{source}/vms")[0] == 200)

    assert {vm["name"] for vm in bare_inventory.get(f"{source}/vms")} == {"one", "two"}
    host, = bare_inventory.get(f"{source}/hosts?detail=1")
    workload = bare_inventory.get(f"{source}/workloads/{esxi.vms['one']['id']}")
    assert workload["host"]["id"] == host["id"] and workload["host"]["cluster"]["variant"] == "ComputeResource"
    assert workload["tags"] == [] and workload["disks"][0]["datastore"]["id"] in {one["id"] for one in bare_inventory.get(f"{source}/datastores")}
    assert bare_inventory.get(f"{source}/clusters") == []
    assert len(bare_inventory.get(f"{source}/tree/host")["children"]) == 1

    before = bare_inventory.get(f"{source}/vms/{esxi.vms['two']['id']}")
    esxi.power("two", "on")
    after = waiting.until("a VM that is on", lambda: (vm := bare_inventory.get(f"{source}/vms/{before['id']}"))["powerState"] == "poweredOn" and vm)
    assert after["revision"] > before["revision"]
    assert not [call for call in esxi.log()["calls"] if call.startswith("REST")]
