"""gantry inspect: the guest is looked at over the wire; the tools are stand-ins, the disk and the way to it are real."""
import hashlib
import json
import os
import pathlib
import stat
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/copy"))
from copying import MIB, Copy, make_disk  # noqa: E402
from datastore import Datastore, Fault  # noqa: E402

# Says the checksum of the disk that it was given as the name of the operating system.
INSPECTOR = """#!/bin/sh
for word; do case $word in nbd:*) uri=nbd+unix${word#nbd};; esac; done
sum=$(nbdcopy "$uri" - | sha256sum | cut -d" " -f1) || exit 1
sed "s/SUM/$sum/" $TOOLS/inspection.xml
"""
SYSTEM = "<operatingsystem><root>%s</root><name>%s</name><product_name>SUM</product_name><osinfo>debian12</osinfo></operatingsystem>"
GUESTFISH = """#!/bin/sh
case "$*" in *blkid) cat $TOOLS/blkid; exit ;; esac
echo "== df"
cat $TOOLS/df
echo "== fstab"
cat $TOOLS/fstab
echo "== drivers"
cat $TOOLS/drivers
echo "== list"
cat $TOOLS/list
"""


class Inspection:
    """A disk on a datastore, and the tools that look at it."""

    def __init__(self, program, directory, store):
        self.program, self.directory, self.store = program, directory, store
        self.tools = directory / "tools"
        self.tools.mkdir()
        self.raw = make_disk(directory / "source.raw", 9 * MIB + 512)
        store.add_disk("vm/disk.vmdk", self.raw)
        self.copy = Copy(program, directory, store, self.raw, "vm/disk.vmdk")
        for name, text in (("virt-inspector", INSPECTOR), ("guestfish", GUESTFISH), ("virt-filesystems", "#!/bin/sh\ncat $TOOLS/list\n")):
            (self.tools / name).write_text(text)
            (self.tools / name).chmod(0o755 | stat.S_IXUSR)
        self.say("inspection.xml", f"<operatingsystems>{SYSTEM % ('/dev/sda1', 'linux')}</operatingsystems>")
        self.say("df", "Filesystem 1K-blocks Used Available Use% Mounted on\n/dev/sda1 1000000 1 900000 1% /sysroot\n")
        self.say("fstab", "UUID=1 / ext4 defaults 0 1\n")
        self.say("list", "Name,Type,VFS,Label\n/dev/sda1,filesystem,ext4,\n")
        self.say("blkid", "")
        self.say("drivers", "/lib/modules/6.1/kernel/drivers/block/virtio_blk.ko\n")

    def say(self, name, text):
        (self.tools / name).write_text(text)

    def run(self, code=0):
        spec = {"version": 1, "vm": {"id": "vm-1", "name": "guest"}, "state": str(self.directory / "s"),
                "disks": [{"id": "2000", "copy": str(self.directory / "copy.json")}]}
        (self.directory / "copy.json").write_text(json.dumps(self.copy.spec))
        (self.directory / "inspect.json").write_text(json.dumps(spec))
        environment = {**os.environ, "PATH": f"{self.tools}:{os.environ['PATH']}", "TOOLS": str(self.tools), "GANTRY_ACCEL": "tcg"}
        done = subprocess.run([self.program, "inspect", "--spec", self.directory / "inspect.json"], capture_output=True, text=True,
                              env=environment, timeout=120, check=False)
        assert "Sanitizer" not in done.stderr and "runtime error" not in done.stderr, done.stderr
        assert done.returncode == code, done.stdout + done.stderr
        return json.loads(done.stdout.splitlines()[-1])

    def labels(self):
        return [(one["category"], one["label"]) for one in self.run()["concerns"]]


@pytest.fixture
def inspection(tmp_path):
    store = Datastore(tmp_path)
    yield Inspection(os.environ.get("GANTRY_BINARY", str(ROOT / "build-asan/gantry")), tmp_path, store)
    store.close()


def test_the_tools_see_the_disk_in_the_source(inspection):
    result = inspection.run()
    assert result["os"]["product"] == hashlib.sha256(inspection.raw.read_bytes()).hexdigest()
    assert result["concerns"] == [] and result["virtio"] is True and result["bytesRead"] >= 9 * MIB
    assert not list((inspection.directory / "s").iterdir()) and inspection.copy.target.stat().st_blocks == 0


def test_a_busy_source_is_asked_again(inspection):
    inspection.store.faults.append(Fault("status", times=3, after=3, status=503))
    inspection.run()


def test_a_source_that_refuses_is_named(inspection):
    inspection.store.faults.append(Fault("status", times=100, after=3, status=403))
    assert inspection.run(code=1)["reason"] == "SourceForbidden"


@pytest.mark.parametrize("file, text, concern", [
    ("df", "/dev/sda1 1000000 1 2000 1% /sysroot\n", ("Critical", "Not enough free space in the guest")),
    ("fstab", "/dev/disk/by-id/x /data xfs defaults 0 0\n", ("Warning", "Disks are mounted by hardware path")),
    ("list", "/dev/sda5: swsuspend\n", ("Critical", "The guest is hibernated")),
    ("inspection.xml", f"<operatingsystems>{SYSTEM % ('/dev/sda1', 'linux')}{SYSTEM % ('/dev/sda2', 'linux')}</operatingsystems>",
     ("Warning", "Several operating systems")),
    ("inspection.xml", f"<operatingsystems>{SYSTEM % ('/dev/sda1', 'windows')}</operatingsystems>", ("Critical", "VirtioWinMissing")),
    ("inspection.xml", "<operatingsystems/>", ("Critical", "GuestUnknown")),
])
def test_what_stands_in_the_way_is_a_concern(inspection, file, text, concern):
    if concern[1] == "VirtioWinMissing" and os.path.exists("/usr/share/virtio-win"):
        pytest.skip("virtio-win is installed here")
    inspection.say(file, text)
    assert inspection.labels() == [concern]


def test_missing_drivers_are_said(inspection):
    inspection.say("drivers", "")
    assert inspection.run()["virtio"] is False


def test_a_report_fits_into_a_termination_message(inspection):
    inspection.say("fstab", "".join(f"/dev/disk/by-id/{'x' * 200}{n} /data{n} xfs defaults 0 0\n" for n in range(200)))
    inspection.say("df", "".join(f"/dev/sda{n} 1000000 1 0 1% /sysroot/{'y' * 400}{n}\n" for n in range(30)))
    result = inspection.run()
    assert len(result["concerns"]) == 6 and len(json.dumps(result).encode()) < 4096


def test_an_encrypted_guest_is_a_concern(inspection):
    inspection.say("inspection.xml", "<operatingsystems/>")
    inspection.say("blkid", '/dev/sda2: UUID="0b5fa9b0-4d3f-4cf7-8c8a-5a1c5b1d2e3f" TYPE="crypto_LUKS"\n')
    assert inspection.labels() == [("Critical", "GuestEncrypted")]


def test_a_root_that_only_the_guest_can_name_is_a_concern(inspection):
    guestfish = inspection.tools / "guestfish"
    guestfish.write_text("#!/bin/sh\necho 'libguestfs: error: mount_ro: mount_ro_stub: /dev/mapper/sda3_crypt: No such file or directory' >&2\nexit 1\n")
    (concern,) = inspection.run()["concerns"]
    assert (concern["category"], concern["label"]) == ("Critical", "GuestUnknown")
    assert "/etc/fstab names the root file system /dev/mapper/sda3_crypt" in concern["assessment"] and "UUID=" in concern["assessment"]
