"""A copy that goes on from an earlier content of the source: only what has changed is read, written, hashed and verified."""
import os

import pytest
from copying import MIB, Copy, make_disk

SIZE = 64 * MIB + 512 * 5
CHANGES = [(4096, 512), (MIB, 65536), (5 * MIB - 65536, 131072), (40 * MIB, 2 * MIB), (SIZE - 512, 512)]


@pytest.fixture
def warm(program, tmp_path, store):
    """A disk whose first generation has been copied, and that has gone on to its second."""
    disk = make_disk(tmp_path / "warm.raw", SIZE, seed=3, data=0.9)
    store.add_disk("warm.vmdk", disk)
    one = Copy(program, tmp_path, store, disk, "warm.vmdk")
    one.run()
    one.assert_equal()
    go_on(one, "2", "1", CHANGES)
    store.ranges.clear()
    return one


def go_on(one, generation, since, ranges):
    with open(one.raw, "r+b") as file:
        for at, size in ranges:
            file.seek(at)
            file.write(bytes(size) if at == 40 * MIB else os.urandom(size))
    one.spec["source"]["generation"] = generation
    one.spec["changes"] = {"since": since, "ranges": [list(one) for one in ranges]}


def test_only_what_changed_is_read_and_written(warm, store):
    changed = sum(size for _, size in CHANGES)
    result = warm.run()
    warm.assert_equal()
    assert result["bytesRead"] == changed
    assert result["bytesWritten"] <= changed + 2 * 65536 * len(CHANGES)
    assert store.bytes_sent() <= 1.1 * changed
    assert result["resumedFrom"] < SIZE
    first, *_ = (warm.state / "2000.manifest").read_text().splitlines()
    assert '"generation":"2"' in first


def test_a_second_delta_follows_the_first(warm, store):
    warm.run()
    store.ranges.clear()
    go_on(warm, "3", "2", [(20 * MIB, 4096)])
    assert warm.run()["bytesRead"] == 4096
    warm.assert_equal()


def test_killed_in_the_middle_it_goes_on(warm, store):
    store.rate = 4 * MIB
    assert warm.kill_when(lambda: store.bytes_sent() > MIB)
    store.rate = None
    result = warm.run()
    warm.assert_equal()
    assert result["bytesRead"] < SIZE / 2  # chunks that were about to be written are read whole


def test_changes_since_another_content_are_not_believed(warm, store):
    warm.spec["changes"] = {"since": "0", "ranges": [[0, 512]]}
    result = warm.run()
    warm.assert_equal()
    assert result["bytesRead"] == SIZE


def test_a_copy_that_never_ended_is_ended_first(program, tmp_path, store):
    disk = make_disk(tmp_path / "warm.raw", SIZE, seed=4, data=0.9)
    store.add_disk("warm.vmdk", disk)
    one = Copy(program, tmp_path, store, disk, "warm.vmdk")
    store.rate = 40 * MIB
    assert one.kill_when(lambda: store.bytes_sent() > SIZE / 2)
    store.rate = None
    go_on(one, "2", "1", CHANGES)
    one.run()
    one.assert_equal()


def test_a_target_that_somebody_wrote_to_is_read_whole_where_it_differs(warm, store):
    with open(warm.target, "r+b") as file:
        file.seek(42 * MIB)
        file.write(b"not by the copier")
    result = warm.run()
    warm.assert_equal()
    assert 0 < result["bytesRead"] < SIZE / 2


def test_zeros_that_changed_become_holes(warm, store):
    before = os.stat(warm.target).st_blocks
    warm.run()
    assert os.stat(warm.target).st_blocks * 512 <= before * 512 - MIB
