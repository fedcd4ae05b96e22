"""gantry convert with tools that succeed, fail and hang on demand; qemu-img is the real one."""
import json
import os
import pathlib
import signal
import stat
import subprocess
import time

import pytest

MIB = 1 << 20

INSPECTION = """<?xml version="1.0"?><operatingsystems><operatingsystem><root>/dev/sda1</root><name>%s</name>
<arch>x86_64</arch><distro>debian</distro><product_name>Some OS</product_name><major_version>12</major_version>
<minor_version>1</minor_version><osinfo>debian12</osinfo></operatingsystem></operatingsystems>"""

INSPECTOR = """#!/bin/sh
echo inspector >> $TOOLS/calls
echo "virt-inspector $*" >> $TOOLS/words
cat $TOOLS/inspection.xml
"""
FILESYSTEMS = """#!/bin/sh
cat $TOOLS/filesystems.csv
"""
# It writes "CONVERTED" at 1 MiB of each overlay that the domain names, as far as its mode lets it.
V2V = """#!/bin/sh
echo v2v >> $TOOLS/calls
echo "virt-v2v-in-place $*" >> $TOOLS/words
for last; do :; done
echo "[   0.0] Setting up the source"
mode=$(cat $TOOLS/mode)
[ "$mode" = refuse ] && { echo "virt-v2v-in-place: error: not enough free space for conversion on filesystem '/'" >&2; exit 1; }
for file in $(sed -n "s/.*source file='\\([^']*\\)'.*/\\1/p" "$last"); do
    qemu-io -f qcow2 -c "write -q -P 0x43 1M 64k" "$file" > /dev/null || exit 9
    [ "$mode" = half ] && { echo "virt-v2v-in-place: error: the guest is odd" >&2; exit 1; }
    [ "$mode" = hang ] && { touch $TOOLS/hanging; sleep 1000; }
done
exit 0
"""
# It gives the guest's files, and keeps what is put into the guest.
GUESTFISH = """#!/bin/sh
echo "guestfish $*" >> $TOOLS/words
case "$*" in *blkid) cat $TOOLS/blkid; exit ;; esac
while [ $# -gt 0 ]; do
    [ "$1" = -copy-out ] && [ "$2" = /etc/network ] && mkdir -p "$3/network" && cp $TOOLS/interfaces "$3/network/"
    [ "$1" = -copy-out ] && [ "$2" = /etc/crypttab ] && [ -f $TOOLS/crypttab ] && cp -d $TOOLS/crypttab "$3/"
    [ "$1" = -find ] && cat $TOOLS/loaders
    [ "$1" = upload ] && cp "$2" $TOOLS/uploaded && echo "$3" > $TOOLS/uploaded.to
    shift
done
"""
QEMU_IMG = """#!/bin/sh
echo "qemu-img $1" >> $TOOLS/calls
if [ "$1" = commit ] && [ -f $TOOLS/commit-mode ]; then
    [ "$(cat $TOOLS/commit-mode)" = after ] && %s "$@"
    [ "$(cat $TOOLS/commit-mode)" = within ] && qemu-io -f raw -c "write -q -P 0x43 1M 32k" $TOOLS/../disk0.img > /dev/null
    touch $TOOLS/hanging
    sleep 1000
fi
exec %s "$@"
"""


UUID = "0b5fa9b0-4d3f-4cf7-8c8a-5a1c5b1d2e3f"
LUKS = f'/dev/sda1: UUID="x" TYPE="ext4"\n/dev/sda2: UUID="{UUID}" TYPE="crypto_LUKS" PARTUUID="1-02"\n'


class Conversion:
    """Two copied disks and the tools that convert them."""

    def __init__(self, program, directory):
        self.program, self.directory = program, directory
        self.tools, self.state = directory / "tools", directory / "state"
        self.state.mkdir()
        self.tools.mkdir()
        real = subprocess.run(["sh", "-c", "command -v qemu-img"], capture_output=True, text=True, check=True).stdout.strip()
        self.tool("virt-inspector", INSPECTOR)
        self.tool("virt-filesystems", FILESYSTEMS)
        self.tool("virt-v2v-in-place", V2V)
        self.tool("qemu-img", QEMU_IMG % (real, real))
        self.say("inspection.xml", INSPECTION % "linux")
        self.tool("guestfish", GUESTFISH)
        self.say("mode", "good")
        self.say("blkid", "")
        self.say("loaders", "")
        self.say("filesystems.csv", "Name,Type,VFS,Label\n")
        self.disks = []
        for number in range(2):
            disk = directory / f"disk{number}.img"
            disk.write_bytes(bytes([number + 1]) * (4 * MIB))
            self.disks.append(disk)
        self.spec = {
            "version": 1, "vm": {"id": "vm-1", "name": "guest"}, "firmware": "bios", "memory": 1 << 30, "cpus": 1,
            "disks": [{"id": str(2000 + i), "path": str(disk), "overlay": str(self.overlay(i)),
                       "manifest": str(self.state / f"{2000 + i}.manifest")} for i, disk in enumerate(self.disks)]}

    def tool(self, name, text):
        file = self.tools / name
        file.write_text(text)
        file.chmod(file.stat().st_mode | stat.S_IXUSR)

    def say(self, name, text):
        (self.tools / name).write_text(text)

    def overlay(self, number):
        return self.state / f"{2000 + number}.qcow2"

    def calls(self):
        file = self.tools / "calls"
        return file.read_text().split("\n") if file.exists() else []

    def start(self):
        (self.directory / "spec.json").write_text(json.dumps(self.spec))
        environment = {**os.environ, "PATH": f"{self.tools}:{os.environ['PATH']}", "TOOLS": str(self.tools), "GANTRY_ACCEL": "tcg"}
        return subprocess.Popen([self.program, "convert", "--spec", self.directory / "spec.json"], stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True, env=environment)

    def run(self, code=0):
        process = self.start()
        out, err = process.communicate(timeout=300)
        assert "Sanitizer" not in err and "runtime error" not in err, err
        assert process.returncode == code, out + err
        return json.loads(out.splitlines()[-1])

    def start_until_it_hangs(self):
        process = self.start()
        end = time.monotonic() + 30
        while not (self.tools / "hanging").exists():
            assert process.poll() is None and time.monotonic() < end, process.communicate()
            time.sleep(0.01)
        (self.tools / "hanging").unlink()
        return process

    def words(self):
        return (self.tools / "words").read_text()

    def is_pristine(self):
        return all(disk.read_bytes() == bytes([number + 1]) * (4 * MIB) for number, disk in enumerate(self.disks))

    def is_converted(self):
        return all(disk.read_bytes() == bytes([number + 1]) * MIB + b"C" * 65536 + bytes([number + 1]) * (3 * MIB - 65536)
                   for number, disk in enumerate(self.disks))


@pytest.fixture
def conversion(tmp_path):
    root = pathlib.Path(__file__).resolve().parents[2]
    return Conversion(os.environ.get("GANTRY_BINARY", str(root / "build-asan/gantry")), tmp_path)


def test_a_guest_is_converted_and_committed(conversion):
    result = conversion.run()
    assert result["result"] == "Completed" and result["os"]["id"] == "debian12" and result["firmware"] == "bios"
    assert conversion.is_converted()
    assert not conversion.overlay(0).exists() and not (conversion.state / ".guestfs").exists()


def test_run_again_it_does_nothing(conversion):
    first = conversion.run()
    before = conversion.calls()
    assert conversion.run()["os"] == first["os"]
    assert conversion.calls() == before and conversion.is_converted()


@pytest.mark.parametrize("mode, reason, says", [("refuse", "GuestWithoutSpace", "not enough free space"),
                                                ("half", "ConversionFailed", "the guest is odd")])
def test_a_failed_conversion_leaves_the_pristine_copy(conversion, mode, reason, says):
    conversion.say("mode", mode)
    result = conversion.run(code=1)
    assert result["reason"] == reason and says in result["message"] and result["remedy"]
    assert conversion.is_pristine() and not conversion.overlay(0).exists()
    conversion.say("mode", "good")
    conversion.run()
    assert conversion.is_converted()


def test_killed_while_converting_it_starts_again(conversion):
    conversion.say("mode", "hang")
    process = conversion.start_until_it_hangs()
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert conversion.is_pristine()
    conversion.say("mode", "good")
    conversion.run()
    assert conversion.is_converted()


@pytest.mark.parametrize("when", ["before", "within", "after"])
def test_killed_while_committing_it_goes_on(conversion, when):
    """within: half of the first disk's change is in it."""
    conversion.say("commit-mode", when)
    process = conversion.start_until_it_hangs()
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert conversion.is_pristine() == (when == "before") and not conversion.is_converted()
    (conversion.tools / "commit-mode").unlink()
    assert conversion.run()["os"]["id"] == "debian12"
    assert conversion.is_converted()
    assert conversion.calls().count("v2v") == 1


def test_asked_to_stop_it_stops(conversion):
    conversion.say("mode", "hang")
    process = conversion.start_until_it_hangs()
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=300)
    assert process.returncode == 75, out + err
    assert conversion.is_pristine() and not conversion.overlay(0).exists()


@pytest.mark.parametrize("blkid, table, reason, says", [
    (LUKS, "", "GuestEncrypted", f"crypto_LUKS ({UUID})"),
    ('/dev/sda2: TYPE="BitLocker"\n', "", "GuestEncrypted", "BitLocker"),
    ("", "/dev/sda1,filesystem,btrfs,,,1,\n", "GuestUnknown", "/dev/sda1 (btrfs)"),
    ("", "", "GuestUnknown", "none that can be read"),
])
def test_what_cannot_work_is_refused_with_its_reason(conversion, blkid, table, reason, says):
    conversion.say("blkid", blkid)
    conversion.say("inspection.xml", "<operatingsystems/>")
    conversion.say("filesystems.csv", "Name,Type,VFS,Label,MBR,Size,Parent\n" + table)
    result = conversion.run(code=1)
    assert result["reason"] == reason and says in result["message"]
    assert "v2v" not in conversion.calls() and conversion.is_pristine()


def test_the_chosen_root_is_converted(conversion):
    two = INSPECTION.replace("</operatingsystems>", INSPECTION.split("<operatingsystems>")[1].replace("/dev/sda1", "/dev/sdb2"))
    conversion.say("inspection.xml", two % ("linux", "linux"))
    conversion.spec["root"] = "/dev/sdb2"
    assert conversion.run()["os"]["root"] == "/dev/sdb2"
    assert "--root /dev/sdb2 " in conversion.words()


def test_a_disk_stands_for_the_system_on_it(conversion):
    conversion.spec["root"] = "/dev/sda"
    assert conversion.run()["os"]["root"] == "/dev/sda1"
    assert "--root /dev/sda1 " in conversion.words()


def test_encrypted_disks_may_be_opened_over_the_network(conversion):
    conversion.spec["clevis"] = True
    conversion.say("blkid", LUKS)
    conversion.run()
    assert all(f"--key {UUID}:clevis " in line for line in conversion.words().splitlines()[1:])


def test_a_root_that_is_not_there_is_refused(conversion):
    conversion.spec["root"] = "/dev/sdz9"
    result = conversion.run(code=1)
    assert result["reason"] == "GuestUnknown" and "/dev/sdz9" in result["message"] and conversion.is_pristine()


def test_the_keys_of_encrypted_disks_go_to_every_tool(conversion):
    keys = conversion.directory / "keys"
    keys.mkdir()
    (keys / "root").write_text("secret")
    (keys / "..data").mkdir()
    conversion.spec["keys"] = str(keys)
    conversion.say("blkid", LUKS)
    conversion.run()
    option = f"--key {UUID}:file:{keys}/root "
    assert all(option in line for line in conversion.words().splitlines()[1:]) and "secret" not in conversion.words()


def test_static_addresses_stay_with_their_names(conversion):
    conversion.say("interfaces", "auto ens192\niface ens192 inet static\n  address 192.0.2.10/24\n")
    conversion.spec["nics"] = [{"mac": "00:50:56:00:00:01", "addresses": ["192.0.2.10/24"], "gateway": "192.0.2.1"},
                               {"mac": "00:50:56:00:00:02"}]
    conversion.run()
    assert 'ATTR{address}=="00:50:56:00:00:01", ATTR{type}=="1", NAME="ens192"' in (conversion.tools / "uploaded").read_text()
    assert (conversion.tools / "uploaded.to").read_text() == "/etc/udev/rules.d/70-gantry-net.rules\n"
    assert "--mac" not in conversion.words()


def test_encrypted_disks_are_opened_when_the_ramdisk_boots(conversion):
    """virt-v2v's ramdisk would open them only under the names that libguestfs gave them. So crypttab says it before virt-v2v runs."""
    keys = conversion.directory / "keys"
    keys.mkdir()
    (keys / "root").write_text("secret")
    conversion.spec["keys"] = str(keys)
    conversion.say("blkid", LUKS)
    conversion.say("crypttab", f"sda2_crypt UUID={UUID} none luks,discard\n")
    conversion.run()
    assert (conversion.tools / "uploaded").read_text() == f"sda2_crypt UUID={UUID} none luks,discard,initramfs\n"
    assert (conversion.tools / "uploaded.to").read_text() == "/etc/crypttab\n"
    words = conversion.words()
    assert words.index(" upload ") < words.index("virt-v2v-in-place")


def test_a_link_in_a_guest_is_not_followed_here(conversion):
    """A guest that made its crypttab a link would be given a file of the Pod."""
    keys = conversion.directory / "keys"
    keys.mkdir()
    (keys / "root").write_text("secret")
    conversion.spec["keys"] = str(keys)
    conversion.say("blkid", LUKS)
    conversion.say("of-the-pod", "name source none\n")
    (conversion.tools / "crypttab").symlink_to(conversion.tools / "of-the-pod")
    conversion.run()
    assert " upload " not in conversion.words() and not (conversion.tools / "uploaded").exists()


@pytest.mark.parametrize("loaders, copies", [("/debian\n/debian/grubx64.efi\n", 1), ("/BOOT/BOOTX64.EFI\n/debian/grubx64.efi\n", 0)])
def test_a_uefi_guest_gets_its_loader_where_firmware_looks(conversion, loaders, copies):
    conversion.spec["firmware"] = "efi"
    conversion.say("loaders", loaders)
    assert conversion.run()["firmware"] == "efi"
    assert conversion.words().count(" cp /boot/efi/EFI/debian/grubx64.efi /boot/efi/EFI/BOOT/BOOTX64.EFI") == copies


def test_what_the_tools_said_is_kept(conversion):
    conversion.say("mode", "refuse")
    conversion.run(code=1)
    conversion.say("mode", "good")
    conversion.run()
    log = (conversion.state / "conversion.log").read_text()
    assert "not enough free space" in log and log.count("Setting up the source") == 2


def test_windows_without_its_drivers_is_refused(conversion):
    conversion.say("inspection.xml", INSPECTION % "windows")
    if os.path.exists("/usr/share/virtio-win"):
        pytest.skip("virtio-win is installed here")
    assert conversion.run(code=1)["reason"] == "VirtioWinMissing"
    assert conversion.is_pristine()


def test_a_hibernated_windows_is_refused(conversion, monkeypatch):
    tools = pathlib.Path("/usr/share/virt-tools/rhsrvany.exe")
    if not tools.exists():
        pytest.skip("rhsrvany is not in Debian, and without it no Windows guest comes so far")
    monkeypatch.setenv("VIRTIO_WIN", str(conversion.tools))
    conversion.say("inspection.xml", INSPECTION % "windows")
    conversion.tool("guestfish", "#!/bin/sh\nprintf hibr\n")
    assert conversion.run(code=1)["reason"] == "GuestHibernated"
