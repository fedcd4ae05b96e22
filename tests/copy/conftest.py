"""Fixtures of the copier's tests: a datastore, a disk and its copy."""
import os
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from copying import MIB, Copy, make_disk  # noqa: E402  pylint: disable=wrong-import-position
from datastore import Datastore  # noqa: E402  pylint: disable=wrong-import-position


@pytest.fixture
def program():
    root = pathlib.Path(__file__).resolve().parents[2]
    return os.environ.get("GANTRY_BINARY", str(root / "build-asan/gantry"))


@pytest.fixture
def store(tmp_path):
    made = Datastore(tmp_path)
    yield made
    made.close()


@pytest.fixture
def disk(tmp_path):
    """A disk of an odd size, data and zeros mixed."""
    return make_disk(tmp_path / "source.raw", 37 * MIB + 512 * 3)


@pytest.fixture
def copy(program, tmp_path, store, disk):
    store.add_disk("vm 1/disk.vmdk", disk)
    return Copy(program, tmp_path, store, disk)
