"""A real Debian is converted by the real tools, and boots on KVM's hardware. It takes minutes: ./test soak runs it."""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import time

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests/convert")]
import guest_disks  # noqa: E402  pylint: disable=wrong-import-position

MAC = "52:54:00:0a:00:01"
BOOT_S = 900
CONVERT_S = 3600
FIRMWARE = "/usr/share/OVMF/OVMF_%s_4M.fd"
ACCEL = "kvm" if os.environ.get("GANTRY_ACCEL") == "kvm" else "tcg"  # as ./test has it: a KVM within a machine may hang

pytestmark = [pytest.mark.skipif(not os.environ.get("GANTRY_LONG_CONVERSION"), reason="a whole conversion takes minutes: ./test soak runs it"),
              pytest.mark.timeout(CONVERT_S + 2 * BOOT_S)]


def convert(disk, folder, firmware, keys):
    program = os.environ.get("GANTRY_BINARY", str(ROOT / "build-asan/gantry"))
    spec = {"version": 1, "vm": {"id": "vm-1", "name": "guest"}, "firmware": firmware, "memory": 1 << 30, "cpus": 1, **keys,
            "disks": [{"id": "2000", "path": str(disk), "overlay": str(folder / "2000.qcow2"), "manifest": str(folder / "2000.manifest")}]}
    (folder / "spec.json").write_text(json.dumps(spec))
    done = subprocess.run([program, "convert", "--spec", folder / "spec.json"], capture_output=True, text=True, timeout=CONVERT_S, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert guest_disks.KEY not in done.stdout + done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def boot(disk, folder, firmware):
    """Starts the disk on a machine that has virtio hardware only, and types the passphrase where it is asked for. What it printed."""
    said = folder / "console"
    machine = ["qemu-system-x86_64", "-machine", "q35", "-accel", ACCEL, "-m", "768", "-display", "none", "-no-reboot",
               "-drive", f"file={disk},format=raw,if=virtio", "-nic", f"user,restrict=on,model=virtio-net-pci,mac={MAC}",
               "-chardev", f"stdio,id=console,logfile={said},signal=off", "-serial", "chardev:console"]
    if firmware == "efi":  # its variables are new: nothing in them says where the loader is
        shutil.copy(FIRMWARE % "VARS", folder / "variables.fd")
        machine += ["-drive", f"if=pflash,format=raw,readonly=on,file={FIRMWARE % 'CODE'}",
                    "-drive", f"if=pflash,format=raw,file={folder / 'variables.fd'}"]
    asked, end, text = False, time.monotonic() + BOOT_S, ""
    with subprocess.Popen(machine, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT) as process:
        try:
            while "GUEST-DONE" not in text and process.poll() is None and time.monotonic() < end:
                time.sleep(0.2)
                text = said.read_text(errors="replace") if said.exists() else ""
                if not asked and "Please unlock disk" in text:
                    asked = True
                    process.stdin.write(f"{guest_disks.KEY}\n".encode())
                    process.stdin.flush()
        finally:
            process.kill()
    assert "GUEST-DONE" in text, text[-4000:]
    return text


@pytest.mark.parametrize("firmware", ["bios", "efi"])
def test_a_converted_debian_boots(debian_guest, tmp_path, firmware):
    """Behind BIOS as it is, behind UEFI with its root in a LUKS device."""
    disk, key, keys = tmp_path / "disk.raw", tmp_path / "key", tmp_path / "keys"
    key.write_text(guest_disks.KEY)
    keys.mkdir()
    (keys / "root").write_text(guest_disks.KEY)
    encrypted = firmware == "efi"
    debian_guest(disk, *[key] * encrypted)
    report = convert(disk, tmp_path, firmware, {"keys": str(keys)} if encrypted else {})
    assert report["os"]["id"] == "debian12" and report["firmware"] == firmware
    text = boot(disk, tmp_path, firmware)
    assert ("Please unlock disk root_crypt" in text) == encrypted
    assert f" {MAC}" in text
