"""gantry inspect with the real libguestfs: guests that are looked into where they are, over the readers of their sources."""
import json
import os
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests/copy"), str(ROOT / "tests/convert")]
import guest_disks  # noqa: E402  pylint: disable=wrong-import-position
from copying import MIB, Copy  # noqa: E402  pylint: disable=wrong-import-position
from datastore import Datastore  # noqa: E402  pylint: disable=wrong-import-position
from imageio import Imageio  # noqa: E402  pylint: disable=wrong-import-position

HUNG_S = 1000


@pytest.fixture
def program():
    return os.environ.get("GANTRY_BINARY", str(ROOT / "build-asan/gantry"))


def inspect(copy, **more):
    """What gantry inspect says of the copy's source."""
    folder = copy.directory
    (folder / "copy.json").write_text(json.dumps(copy.spec))
    (folder / "inspect.json").write_text(json.dumps({"version": 1, "vm": {"id": "vm-1", "name": "guest"}, "state": str(folder / "work"),
                                                     "disks": [{"id": "2000", "copy": str(folder / "copy.json")}], **more}))
    done = subprocess.run([copy.program, "inspect", "--spec", folder / "inspect.json"], capture_output=True, text=True, timeout=HUNG_S,
                          env={**os.environ, "GANTRY_ACCEL": "tcg"}, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert guest_disks.KEY not in done.stdout + done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_an_encrypted_linux_is_looked_into_through_its_snapshots(program, tmp_path):
    """What LUKS says of itself is in the snapshot's layer only, everything else below."""
    disk = guest_disks.encrypted_linux(tmp_path)
    luks_at, header, base, keys = 10 * MIB, tmp_path / "header", tmp_path / "base.raw", tmp_path / "keys"
    content = disk.read_bytes()
    header.write_bytes(content[luks_at:luks_at + MIB])
    base.write_bytes(content[:luks_at] + bytes(MIB) + content[luks_at + MIB:])
    guest_disks.call("qemu-img", "convert", "-O", "vmdk", base, tmp_path / "base.vmdk")
    guest_disks.call("qemu-img", "create", "-f", "vmdk", "-F", "vmdk", "-b", "base.vmdk", tmp_path / "top.vmdk")
    guest_disks.call("qemu-io", "-f", "vmdk", "-c", f"write -s {header} {luks_at} {MIB}", tmp_path / "top.vmdk")
    keys.mkdir()
    (keys / "root").write_text(guest_disks.KEY)
    store = Datastore(tmp_path)
    try:
        for name in ("base.vmdk", "top.vmdk"):
            store.files[f"vm/{name}"] = str(tmp_path / name)
        result = inspect(Copy(program, tmp_path, store, disk, "vm/top.vmdk"), firmware="efi", keys=str(keys))
    finally:
        store.close()
    assert result["os"]["id"] == "debian12" and result["os"]["version"] == "12.4" and result["virtio"] is True
    assert [(one["category"], one["label"]) for one in result["concerns"]] == [
        ("Critical", "Not enough free space in the guest"), ("Information", "Disks are mounted by device name")]


@pytest.mark.skipif(os.path.exists("/usr/share/virtio-win"), reason="virtio-win is installed here, so nothing stands in Windows' way")
@pytest.mark.skipif(not os.path.exists("/dev/fuse"), reason="an NTFS is filled through FUSE, which is not here")
def test_a_windows_behind_the_image_service_lacks_its_drivers(program, tmp_path):
    disk = guest_disks.windows(tmp_path)
    guest_disks.call("qemu-img", "convert", "-f", "raw", "-O", "qcow2", disk, tmp_path / "disk.qcow2")
    certificate = Datastore(tmp_path)
    daemon = Imageio(tmp_path, tmp_path / "disk.qcow2", certificate.certificate, f"{certificate.certificate}.crt")
    try:
        copy = Copy(program, tmp_path, None, disk)
        copy.spec["source"] = {"type": "imageio", "url": daemon.new_ticket(), "generation": "1"}
        copy.spec["trust"] = {"ca": certificate.ca}
        copy.spec.pop("credentials")
        result = inspect(copy)
    finally:
        daemon.close()
        certificate.close()
    (concern,) = result["concerns"]
    assert (concern["category"], concern["label"]) == ("Critical", "VirtioWinMissing")
    assert "Windows of the tests" in concern["assessment"]
