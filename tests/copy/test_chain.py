"""gantry copy of a snapshot: sparse disks and their parents, over HTTPS and from a folder."""
import shutil
import subprocess

import pytest
from copying import MIB, Copy, make_disk
from datastore import Fault

needs_qemu = pytest.mark.skipif(not shutil.which("qemu-io"), reason="qemu-utils is not installed")


def qemu(*words):
    subprocess.run(words, check=True, capture_output=True, text=True)


@pytest.fixture(name="chain")
def make_chain(tmp_path):
    """base.vmdk ← middle.vmdk ← top.vmdk as QEMU writes them, and the raw disk that they are together."""
    folder = tmp_path / "vm"
    folder.mkdir()
    raw = make_disk(tmp_path / "base.raw", 37 * MIB + 65536)
    qemu("qemu-img", "convert", "-O", "vmdk", raw, folder / "base.vmdk")
    for name, below, pattern in (("middle", "base", 0x11), ("top", "middle", 0x22)):
        qemu("qemu-img", "create", "-f", "vmdk", "-F", "vmdk", "-b", below + ".vmdk", folder / f"{name}.vmdk")
        writes = [f"write -P {pattern} {at} 200k" for at in range(pattern * 4096, 36 * MIB, 3 * MIB + 12288)]
        qemu("qemu-io", "-f", "vmdk", *[word for write in writes for word in ("-c", write)], folder / f"{name}.vmdk")
    qemu("qemu-img", "convert", "-O", "raw", folder / "top.vmdk", tmp_path / "top.raw")
    return folder


@needs_qemu
@pytest.mark.parametrize("fault", [None, Fault("drop", times=4, after=6), Fault("forget sessions", times=1, after=9),
                                   Fault("status", times=3, after=8, status=503)],
                         ids=lambda fault: fault.kind if fault else "no fault")
def test_a_chain_is_read_over_https_as_the_guest_sees_it(program, tmp_path, store, chain, fault):
    for file in chain.iterdir():
        store.files["vm/" + file.name] = str(file)
    if fault:
        store.faults.append(fault)
    copy = Copy(program, tmp_path, store, tmp_path / "top.raw", "vm/top.vmdk")
    result = copy.run()
    copy.assert_equal()
    assert "3 layers (monolithicSparse, monolithicSparse, monolithicSparse)" in result["reader"]
    # what the tables say is empty is not asked for
    assert store.bytes_sent() < sum(file.stat().st_size for file in chain.iterdir())


@needs_qemu
def test_a_chain_in_a_folder_is_read_and_its_layer_below_alone(program, tmp_path, store, chain):
    copy = Copy(program, tmp_path, store, tmp_path / "top.raw")
    copy.spec["source"] = {"type": "vmdk", "path": str(chain / "top.vmdk"), "generation": "1"}
    copy.run()
    copy.assert_equal()
    qemu("qemu-img", "convert", "-O", "raw", chain / "middle.vmdk", tmp_path / "middle.raw")
    copy.raw = tmp_path / "middle.raw"
    copy.spec["source"] |= {"path": str(chain / "middle.vmdk"), "generation": "2"}
    copy.run()
    copy.assert_equal()


@needs_qemu
def test_a_parent_that_is_gone_is_named(program, tmp_path, store, chain):
    for name in ("middle.vmdk", "top.vmdk"):
        store.files["vm/" + name] = str(chain / name)
    result = Copy(program, tmp_path, store, tmp_path / "top.raw", "vm/top.vmdk").run(code=1)
    assert result["reason"] == "SourceNotFound"
    assert "the parent of [store] vm/middle.vmdk: [store] vm/base.vmdk" in result["message"]
