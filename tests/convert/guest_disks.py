"""Disks with as much of an operating system on them as libguestfs looks for, made of files: nothing here boots."""
import shutil
import struct
import subprocess
import time

MIB = 1 << 20
KEY = "the key of the tests"

OS_RELEASE = 'ID=debian\nNAME="Debian GNU/Linux"\nVERSION_ID="12"\nPRETTY_NAME="Debian GNU/Linux 12"\n'
FSTAB = "LABEL=root / ext4 defaults 0 1\n/dev/sda1 /boot/efi vfat umask=0077 0 1\n"
DPKG = "Package: base-files\nStatus: install ok installed\nArchitecture: amd64\nVersion: 12.4\n\n"

SOFTWARE = """Windows Registry Editor Version 5.00

[\\Microsoft]

[\\Microsoft\\Windows NT]

[\\Microsoft\\Windows NT\\CurrentVersion]
"ProductName"="Windows of the tests"
"CurrentVersion"="6.1"
"InstallationType"="Client"
"CurrentBuildNumber"="7601"

"""
SYSTEM = """Windows Registry Editor Version 5.00

[\\Select]
"Current"=dword:00000001

[\\ControlSet001]

[\\ControlSet001\\Control]

[\\ControlSet001\\Services]

[\\ControlSet001\\Services\\Tcpip]

[\\ControlSet001\\Services\\Tcpip\\Parameters]
"Hostname"="tests"

[\\MountedDevices]

"""


def call(*argv, **options):
    return subprocess.run([str(word) for word in argv], check=True, capture_output=True, **options)


def lay_out(disk, table, partitions):
    """Writes the partition table, and each partition's file at its place in MiB."""
    end = max(at * MIB + file.stat().st_size for at, file in partitions)
    with open(disk, "wb") as made:
        made.truncate(end + MIB)
    call("sfdisk", "-q", disk, input=table.encode())
    for at, file in partitions:
        call("dd", f"if={file}", f"of={disk}", "bs=1M", f"seek={at}", "conv=notrunc,sparse")
    return disk


def encrypt(plain, luks, key):
    """qemu-img first measures how fast this machine derives keys, and gives up when the kernel's account of its time goes backwards."""
    for _ in range(100):
        made = subprocess.run(["qemu-img", "convert", "-f", "raw", "-O", "luks", "--object", f"secret,id=k,file={key}", "-o", "key-secret=k,iter-time=20",
                               plain, luks], capture_output=True, text=True, check=False)
        if "accurate CPU usage" not in made.stderr:
            break
    assert made.returncode == 0, made.stderr


def encrypted_linux(folder):
    """UEFI's layout: a GPT, the EFI system partition, and a Linux behind LUKS that KEY opens."""
    root = folder / "root"
    for name, text in (("etc/os-release", OS_RELEASE), ("etc/debian_version", "12.4\n"), ("etc/fstab", FSTAB), ("etc/hostname", "tests\n"),
                       ("var/lib/dpkg/status", DPKG), ("lib/modules/6.1.0-1/kernel/drivers/block/virtio_blk.ko", "")):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    for name in ("bin", "boot", "usr", "proc", "sys", "dev"):
        (root / name).mkdir()
    shutil.copy("/bin/true", root / "bin/ls")  # tells the architecture
    plain, luks, esp, key = (folder / name for name in ("root.ext4", "root.luks", "esp", "key"))
    call("mke2fs", "-q", "-F", "-t", "ext4", "-L", "root", "-d", root, plain, "48M")
    key.write_text(KEY)
    encrypt(plain, luks, key)
    with open(luks, "r+b") as file:
        file.truncate(-(-luks.stat().st_size // MIB) * MIB)
    with open(esp, "wb") as file:
        file.truncate(8 * MIB)
    call("mkfs.fat", "-F", "12", esp)
    return lay_out(folder / "linux.raw", "label: gpt\nstart=2048, size=16384, type=C12A7328-F81F-11D2-BA4B-00A0C93EC93B\n"
                   "start=20480, type=0FC63DAF-8483-4772-8E79-3D69D8477DE4\n", [(1, esp), (10, luks)])


def cell(content):
    size = -(-(len(content) + 4) // 8) * 8
    return struct.pack("<i", -size) + content + bytes(size - 4 - len(content))


def empty_hive():
    """A registry hive with a root key and nothing in it."""
    name, nothing, first = b"ROOT", 0xffffffff, 0x20
    owner_at = first + len(cell(bytes(76 + len(name))))
    root = struct.pack("<2sHQ15I2H", b"nk", 0x2c, 0, 0, 0, 0, 0, nothing, nothing, 0, nothing, owner_at, nothing, 0, 0, 0, 0, 0, len(name), 0)
    rights = struct.pack("<BBHIIII", 1, 0, 0x8000, 0, 0, 0, 0)
    owner = struct.pack("<2sHIIII", b"sk", 0, owner_at, owner_at, 1, len(rights))
    cells = cell(root + name) + cell(owner + rights)
    free = 0x1000 - 0x20 - len(cells)
    head = b"regf" + struct.pack("<IIQIIIIIII", 1, 1, 0, 1, 3, 0, 1, first, 0x1000, 1)
    head += bytes(0x1fc - len(head))
    checksum = 0
    for (word,) in struct.iter_unpack("<I", head):
        checksum ^= word
    head += struct.pack("<I", checksum)
    return head + bytes(0x1000 - len(head)) + b"hbin" + struct.pack("<IIQQI", 0, 0x1000, 0, 0, 0) + cells + struct.pack("<i", free) + bytes(free - 4)


def small_program():
    """As much of a PE file for x86-64 as tells what it is."""
    program = bytearray(512)
    program[0:2], program[0x80:0x84] = b"MZ", b"PE\0\0"
    struct.pack_into("<I", program, 0x3c, 0x80)
    struct.pack_into("<HHIIIHH", program, 0x84, 0x8664, 1, 0, 0, 0, 0xf0, 0x22)
    struct.pack_into("<H", program, 0x98, 0x20b)
    struct.pack_into("<H", program, 0x98 + 68, 3)
    return bytes(program)


def fill_windows(folder, mount):
    system = mount / "Windows/System32"
    for name in ("Config", "drivers"):
        (system / name).mkdir(parents=True)
    (mount / "Program Files").mkdir()
    (system / "cmd.exe").write_bytes(small_program())
    for name, text in (("SOFTWARE", SOFTWARE), ("SYSTEM", SYSTEM)):
        hive, words = folder / name, folder / f"{name}.reg"
        hive.write_bytes(empty_hive())
        words.write_text(text)
        call("hivexregedit", "--merge", hive, words)
        shutil.copyfile(hive, system / "Config" / name)


def windows(folder):
    """NTFS with the registry and the folders of a Windows. It is mounted to be filled: needs root and FUSE."""
    part, mount = folder / "part", folder / "mount"
    with open(part, "wb") as file:
        file.truncate(31 * MIB)
    call("mkntfs", "-F", "-Q", "-q", "-p", "2048", part)
    mount.mkdir()
    with subprocess.Popen(["ntfs-3g", "-o", "no_detach", part, mount], stderr=subprocess.DEVNULL) as server:  # its end says that all is in the file
        while not mount.is_mount():
            assert server.poll() is None, f"ntfs-3g ended with {server.returncode}"
            time.sleep(0.01)
        try:
            fill_windows(folder, mount)
        finally:
            call("umount", mount)
    return lay_out(folder / "windows.raw", "label: dos\nlabel-id: 0x47414e54\nstart=2048, type=7, bootable\n", [(1, part)])
