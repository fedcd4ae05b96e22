"""A VM is migrated from an ESXi host that no vCenter manages."""
import pathlib

from harness.migration import Run, sha256_padded

SIZE = (4 << 20) + 3 * 512


def test_a_vm_moves_from_an_esxi_host_by_itself(module_cluster, new_vcenter, random_disk, tmp_path):
    disk = random_disk(tmp_path / "disk.raw", SIZE // 512)
    esxi = new_vcenter(standalone=True, vms=[{"name": "alone", "disks": [{"file": str(disk)}],
                                              "nics": [{"network": "VM Network", "mac": "00:50:56:0e:02:01"}]}])
    run = Run(module_cluster, esxi, "alone", "from-esxi").prepare().start()
    status = run.finish()
    assert [step["phase"] for step in status["pipeline"]] == ["Completed"] * 3
    target = pathlib.Path(run.target_disks()[0])
    assert sha256_padded(disk, target.stat().st_size) == sha256_padded(target, target.stat().st_size)
    assert run.machine()["spec"]["runStrategy"] == "Halted"
    assert all(login["ok"] for login in esxi.log()["logins"]) and not [call for call in esxi.log()["calls"] if call.startswith("REST")]
