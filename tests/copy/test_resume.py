"""kill -9 anywhere: the copy goes on from its journal, and the journal does not lie."""
import json
import os
import random
import signal
import time
import urllib.error
import urllib.request

import pytest
from copying import MIB, Copy, make_disk
from harness.cluster import free_ports

SIZE = 160 * MIB + 512 * 7


@pytest.fixture
def big(program, tmp_path, store):
    disk = make_disk(tmp_path / "big.raw", SIZE, seed=7, data=0.9)
    store.add_disk("big.vmdk", disk)
    store.rate = 150 * MIB
    return Copy(program, tmp_path, store, disk, "big.vmdk")


def test_after_a_kill_less_than_a_tenth_is_read_twice(big, store):
    assert big.kill_when(lambda: store.bytes_sent() > SIZE / 2)
    store.rate = None
    result = big.run()
    big.assert_equal()
    assert 0 < result["resumedFrom"] < SIZE
    assert result["bytesReadTwice"] < SIZE / 10
    on_the_way = 4 * 4 * MIB  # a chunk a connection, sent to whom was killed
    assert store.bytes_sent() - SIZE < SIZE / 10 + on_the_way
    again = big.run()  # what a pass is said to have read does not depend on its last run
    assert again["bytesRead"] == 0 and again["bytesReadInAll"] == result["bytesReadInAll"] >= SIZE


def test_killed_again_and_again_it_arrives_all_the_same(big, store):
    seed = int(os.environ["GANTRY_SEED"])
    print(f"GANTRY_SEED={seed}")
    randoms = random.Random(seed)
    for _ in range(6):
        until = store.bytes_sent() + randoms.randrange(1, 24 * MIB)
        later = time.monotonic() + randoms.random()
        if not big.kill_when(lambda: store.bytes_sent() >= until and time.monotonic() > later):
            break
    big.run()
    big.assert_equal()


def write(disk, at, data):
    with open(disk, "r+b") as file:
        file.seek(at)
        file.write(data)


def test_the_journal_does_not_lie_when_the_source_has_written(big, store):
    assert big.kill_when(lambda: store.bytes_sent() > SIZE / 2)
    store.rate = None
    for at in (0, 20 * MIB + 5, SIZE - 512):  # copied before, and not
        write(big.raw, at, b"written by the guest meanwhile")
    write(big.raw, 30 * MIB, bytes(MIB))
    os.utime(big.raw, (1, 1))  # what it says of the time does not matter
    big.spec["source"]["generation"] = "2"
    result = big.run()
    big.assert_equal()
    assert result["resumedFrom"] == 0 and result["bytesRead"] == SIZE
    assert result["bytesWritten"] < SIZE * 0.8, "what was equal has been written again"


def test_what_was_written_during_the_copy_is_seen_without_a_new_generation(big, store):
    assert big.kill_when(lambda: store.bytes_sent() > SIZE / 2)
    store.rate = None
    write(big.raw, 4096, b"new")
    os.utime(big.raw, (2, 2))
    big.run()
    big.assert_equal()


def test_a_finished_copy_is_proved_anew_and_mended(big, store):
    store.rate = None
    big.run()
    sent = store.bytes_sent()
    write(big.target, 50 * MIB, b"written by a conversion")
    result = big.run()
    big.assert_equal()
    assert 0 < store.bytes_sent() - sent <= 5 * MIB and result["bytesRead"] <= 4 * MIB


def test_a_marked_conversion_is_undone(big, store):
    store.rate = None
    big.run()
    (big.state / "2000.qcow2").write_bytes(b"overlay")
    (big.state / "2000.qcow2.commit").write_bytes(b"")
    write(big.target, 8 * MIB, b"half a commit")
    big.run()
    big.assert_equal()
    assert not (big.state / "2000.qcow2").exists() and not (big.state / "2000.qcow2.commit").exists()


def test_another_target_is_copied_from_the_start(big, store):
    store.rate = None
    big.run()
    big.target.rename(big.directory / "gone.img")
    with open(big.target, "wb") as file:
        file.truncate(161 * MIB)
    assert big.run()["resumedFrom"] == 0
    big.assert_equal()


def test_sigterm_stops_at_a_checkpoint(big, store):
    process = big.start_until(lambda: store.bytes_sent() > SIZE / 3)
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=300)
    assert process.returncode == 75, out + err
    sent, store.rate = store.bytes_sent(), None
    result = big.run()
    big.assert_equal()
    assert result["resumedFrom"] > sent / 2


def test_a_second_writer_is_refused(big, store):
    process = big.start_until(lambda: store.bytes_sent() > MIB)
    spec = json.loads(json.dumps(big.spec))
    spec["fence"]["uid"] = "pod-2"
    result = big.run(spec=spec, code=75)
    assert result["reason"] == "SecondWriter" and "pod-1" in result["message"]
    process.send_signal(signal.SIGKILL)
    process.communicate()


def test_a_newer_writer_takes_over_and_the_older_stops(big, store):
    store.rate = 40 * MIB
    older = big.start_until(lambda: store.bytes_sent() > 24 * MIB)
    spec = json.loads(json.dumps(big.spec))
    spec["fence"] = {"uid": "pod-2", "generation": 2}
    newer = big.start(spec=spec, name="newer.json")
    out, err = older.communicate(timeout=300)
    assert older.returncode == 1 and json.loads(out.splitlines()[-1])["reason"] == "Fenced", out + err
    store.rate = None
    out, err = newer.communicate(timeout=300)
    assert newer.returncode == 0, out + err
    big.assert_equal()
    assert big.run(code=1)["reason"] == "Fenced"


@pytest.mark.parametrize("damage", [
    lambda file: file.truncate(100),
    lambda file: (file.seek(12288 + 5), file.write(b"\xff" * 100)),
    lambda file: (file.seek(40), file.write(b"\xff")),
    lambda file: file.truncate(12288 + 32 * 3 + 7),
    lambda file: (file.seek(12288 + 32), file.write(os.urandom(32 * 30))),
], ids=["cut in its head", "records overwritten", "head damaged", "torn record", "random records"])
def test_a_damaged_journal_costs_reading_again_and_nothing_else(big, store, damage):
    assert big.kill_when(lambda: store.bytes_sent() > SIZE / 2)
    store.rate = None
    with open(big.state / "2000.journal", "r+b") as file:
        damage(file)
    big.run()
    big.assert_equal()


@pytest.fixture
def small_file_system(tmp_path):
    image, mount = tmp_path / "fs.img", tmp_path / "fs"
    mount.mkdir()
    with open(image, "wb") as file:
        file.truncate(64 * MIB)
    if os.system(f"mkfs.ext4 -q -m 0 {image} && mount -o loop {image} {mount}"):
        pytest.skip("loop devices are not available here")
    yield mount
    os.system(f"umount {mount}")


def start_and_fill(program, tmp_path, store, small_file_system):
    """A copy that is under way when somebody else takes all the room of its target."""
    disk = make_disk(tmp_path / "source.raw", 48 * MIB, data=1)
    store.add_disk("full.vmdk", disk)
    one = Copy(program, tmp_path, store, disk, "full.vmdk")
    one.target = small_file_system / "disk.img"
    one.spec["target"]["path"] = str(one.target)
    store.rate = 30 * MIB
    process = one.start_until(lambda: store.bytes_sent() > 10 * MIB)
    with open(small_file_system / "other", "wb") as file:
        try:
            file.write(bytes(60 * MIB))
        except OSError:
            pass
    store.rate = None
    return one, process


def test_a_full_target_is_waited_for(program, tmp_path, store, small_file_system):
    one, process = start_and_fill(program, tmp_path, store, small_file_system)
    for line in process.stdout:
        if json.loads(line).get("waitingFor"):
            assert "room" in json.loads(line)["waitingFor"]
            break
    (small_file_system / "other").unlink()
    out, err = process.communicate(timeout=300)
    result = json.loads(out.splitlines()[-1])
    assert process.returncode == 0 and result["result"] == "Completed", out + err
    one.assert_equal()


def test_a_full_target_can_be_left(program, tmp_path, store, small_file_system):
    one, process = start_and_fill(program, tmp_path, store, small_file_system)
    while "waitingFor" not in process.stdout.readline():
        assert process.poll() is None
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=300)
    assert process.returncode == 75
    (small_file_system / "other").unlink()
    assert one.run()["resumedFrom"] > 0
    one.assert_equal()


def put_limits(address, body):
    """Status and text of the copier's answer."""
    request = urllib.request.Request(f"http://{address}/limits", data=body.encode(), method="PUT")
    try:
        with urllib.request.urlopen(request, timeout=120) as reply:
            return reply.status, reply.read().decode()
    except urllib.error.HTTPError as refused:
        return refused.code, refused.read().decode()


def test_a_limit_holds_and_changes_while_it_runs(big, store):
    """Without a clock: the limited copy would take more than a minute; it ends soon because the limit is lifted."""
    store.rate = None
    big.spec["limits"]["bytesPerSecond"] = 2 * MIB
    address = f"127.0.0.1:{free_ports(1)}"
    process = big.start_until(lambda: store.bytes_sent() > 2 * MIB, options=["--listen", address])
    assert store.bytes_sent() < SIZE / 2
    for body, says in [("{}", "limits: bytesPerSecond is missing"), ("fast", "limits"),
                       ('{"bytesPerSecond": -1}', "limits: bytesPerSecond is -1; it must be a number from 0 to")]:
        status, text = put_limits(address, body)
        assert status == 400 and says in text, (body, text)
    status, text = put_limits(address, json.dumps({"bytesPerSecond": 3 * MIB}))
    assert status == 200 and json.loads(text)["bytesPerSecondLimit"] == 3 * MIB
    status, text = put_limits(address, json.dumps({"bytesPerSecond": 0}))
    assert status == 200 and "bytesPerSecondLimit" not in json.loads(text)
    out, err = process.communicate(timeout=300)
    assert process.returncode == 0, out + err
    big.assert_equal()


def test_a_certificate_that_changes_in_the_middle_is_refused_until_it_is_trusted(big, store):
    process = big.start_until(lambda: store.bytes_sent() > 20 * MIB)
    store.new_certificate()
    out, err = process.communicate(timeout=300)
    result = json.loads(out.splitlines()[-1])
    assert process.returncode == 1 and result["reason"] == "CertificateNotTrusted", out + err
    assert store.fingerprint() in result["message"]
    big.spec["trust"] = {"ca": store.ca}
    store.rate = None
    assert big.run()["resumedFrom"] > 0
    big.assert_equal()
