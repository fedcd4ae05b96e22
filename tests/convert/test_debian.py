"""A real Debian behind UEFI and LUKS is converted by the real tools, and boots on KVM's hardware. (./demo has the one behind BIOS.)"""
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


def convert(disk, folder, keys):
    program = os.environ.get("GANTRY_BINARY", str(ROOT / "build-asan/gantry"))
    spec = {"version": 1, "vm": {"id": "vm-1", "name": "guest"}, "firmware": "efi", "memory": 1 << 30, "cpus": 1, "keys": str(keys),
            "disks": [{"id": "2000", "path": str(disk), "overlay": str(folder / "2000.qcow2"), "manifest": str(folder / "2000.manifest")}]}
    (folder / "spec.json").write_text(json.dumps(spec))
    done = subprocess.run([program, "convert", "--spec", folder / "spec.json"], capture_output=True, text=True, timeout=CONVERT_S, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert guest_disks.KEY not in done.stdout + done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def boot(disk, folder):
    """Starts the disk on a machine that has virtio hardware only, and types the passphrase where it is asked for. What it printed."""
    said = folder / "console"
    shutil.copy(FIRMWARE % "VARS", folder / "variables.fd")  # new ones: nothing in them says where the loader is
    machine = ["qemu-system-x86_64", "-machine", "q35", "-accel", ACCEL, "-m", "768", "-display", "none", "-no-reboot",
               "-drive", f"if=pflash,format=raw,readonly=on,file={FIRMWARE % 'CODE'}",
               "-drive", f"if=pflash,format=raw,file={folder / 'variables.fd'}", "-drive", f"file={disk},format=raw,if=virtio",
               "-nic", f"user,restrict=on,model=virtio-net-pci,mac={MAC}",
               "-chardev", f"stdio,id=console,logfile={said},signal=off", "-serial", "chardev:console"]
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


def test_an_encrypted_debian_boots_after_its_conversion(debian_guest, tmp_path):
    disk, key, keys = tmp_path / "disk.raw", tmp_path / "key", tmp_path / "keys"
    key.write_text(guest_disks.KEY)
    keys.mkdir()
    (keys / "root").write_text(guest_disks.KEY)
    debian_guest(disk, key)
    report = convert(disk, tmp_path, keys)
    assert report["os"]["id"] == "debian12" and report["firmware"] == "efi"
    text = boot(disk, tmp_path)
    assert "Please unlock disk root_crypt" in text and f" {MAC}" in text
