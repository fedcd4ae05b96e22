"""Disks of any size: none, odd ones, and those that are larger than 32-bit sector numbers or most file systems go."""
import json
import os
import subprocess

import pytest
from copying import Copy

TIB = 1 << 40


@pytest.fixture
def huge(tmp_path):
    """A file system that holds files of any size: tmpfs, in a mount of its own."""
    mount = tmp_path / "tmpfs"
    mount.mkdir()
    if os.system(f"mount -t tmpfs -o size=2G tmpfs {mount}"):
        pytest.skip("tmpfs cannot be mounted here")
    yield mount
    subprocess.run(["umount", mount], check=True)


def sparse(path, size):
    """Data at both ends, across the 2 TiB line, and in the last sector."""
    pieces = {}
    for at in (0, 4096 * 7, size // 2 // 512 * 512, (2 * TIB) - 512, 2 * TIB, size - 512):
        if 0 <= at <= size - 512:
            pieces[at] = os.urandom(512)
    with open(path, "wb") as file:
        file.truncate(size)
        for at, data in pieces.items():
            file.seek(at)
            file.write(data)
    return pieces


def extents(path):
    """The data of a sparse file: [(offset, bytes)], as far as blocks of 64 KiB tell."""
    found = []
    with open(path, "rb") as file:
        end, at = os.fstat(file.fileno()).st_size, 0
        while at < end:
            try:
                at = os.lseek(file.fileno(), at, os.SEEK_DATA)
            except OSError:
                break
            hole = os.lseek(file.fileno(), at, os.SEEK_HOLE)
            found.append((at, os.pread(file.fileno(), hole - at, at)))
            at = hole
    return found


@pytest.mark.parametrize("size", [0, 512, 512 * 3, 4096, (4 << 20) - 512, 4 << 20, (4 << 20) + 512])
def test_a_small_disk(program, tmp_path, size):
    disk = tmp_path / "small.raw"
    disk.write_bytes(os.urandom(size))
    one = Copy(program, tmp_path, None, disk)
    assert one.run()["size"] == size
    one.assert_equal()
    subprocess.run([program, "verify", one.state / "2000.manifest", one.target], check=True)


@pytest.mark.parametrize("size", [2 * TIB - 512, 2 * TIB + 512, 62 * TIB])
def test_a_large_disk(program, tmp_path, huge, size):
    disk = huge / "large.raw"
    pieces = sparse(disk, size)
    one = Copy(program, tmp_path, None, disk)
    one.spec["target"]["path"] = str(huge / "disk.img")
    one.spec["target"]["overcommit"] = True
    result = one.run()
    assert result["size"] == size and result["bytesRead"] < 1 << 20
    copied = {at + i: data[i:i + 512] for at, data in extents(huge / "disk.img") for i in range(0, len(data), 512)
              if any(data[i:i + 512])}
    assert copied == pieces


def test_a_file_system_that_holds_no_such_file_is_named(program, tmp_path, huge):
    disk = huge / "huge.raw"
    sparse(disk, 62 * TIB)
    one = Copy(program, tmp_path, None, disk)
    result = one.run(code=1)
    assert result["reason"] == "TargetTooSmall" and json.dumps(62 * TIB) in result["message"]
