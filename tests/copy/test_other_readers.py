"""gantry copy from the other sources: a real ovirt-imageio daemon, NBD servers, files."""
import json
import subprocess

import pytest
from copying import MIB, Copy, make_disk
from imageio import Imageio


@pytest.fixture
def daemon(tmp_path, store, disk):
    """The disk as a qcow2 image behind imageio, with the certificate of the store."""
    image = tmp_path / "disk.qcow2"
    subprocess.run(["qemu-img", "convert", "-f", "raw", "-O", "qcow2", disk, image], check=True)
    made = Imageio(tmp_path, image, store.certificate, f"{store.certificate}.crt")
    yield made
    made.close()


@pytest.fixture
def transfer(program, tmp_path, store, disk, daemon):
    one = Copy(program, tmp_path, store, disk)
    one.spec["source"] = {"type": "imageio", "url": daemon.new_ticket(), "generation": "1"}
    del one.spec["credentials"]
    return one


def test_a_disk_of_ovirt_arrives_and_zeros_are_not_read(transfer, daemon):
    result = transfer.run()
    transfer.assert_equal()
    assert 0 < result["bytesRead"] < 0.95 * daemon.size
    assert result["reader"] == "imageio: the host itself"


def test_a_ticket_that_is_not_known_is_stale(transfer):
    transfer.spec["source"]["url"] += "0"
    result = transfer.run(code=77)
    assert (result["class"], result["reason"]) == ("stale", "TicketExpired")


def test_the_proxy_is_asked_when_the_host_cannot_be_reached(transfer):
    transfer.spec["source"].update(proxyUrl=transfer.spec["source"]["url"], url="https://127.0.0.1:1/images/x")
    assert "the proxy, as the host cannot be reached" in transfer.run()["reader"]
    transfer.assert_equal()


def test_another_certificate_is_refused(transfer):
    transfer.spec["trust"] = {"fingerprint": "AA:" * 31 + "AA"}
    assert transfer.run(code=1)["reason"] == "CertificateNotTrusted"


def serve(command, socket):
    """An NBD server that ends with the `with` block."""
    process = subprocess.Popen(command)
    while not socket.exists():
        assert process.poll() is None
    return process


@pytest.mark.parametrize("filters", [[], ["--filter=noextents"], ["--filter=multi-conn", "multi-conn-mode=disable"]], ids=str)
def test_a_disk_behind_nbd_arrives(program, tmp_path, disk, filters):
    one = Copy(program, tmp_path, None, disk)
    socket = tmp_path / "socket"
    options = [word for word in filters if word.startswith("--")]
    process = serve(["nbdkit", "-f", "-r", "-U", socket, *options, "file", disk, *[word for word in filters if word not in options]], socket)
    try:
        one.spec["source"] = {"type": "nbd", "uri": f"nbd+unix:///?socket={socket}", "generation": "1"}
        result = one.run()
        one.assert_equal()
        assert (result["bytesRead"] < disk.stat().st_size) == (filters != ["--filter=noextents"])
    finally:
        process.terminate()
        process.wait()


def test_an_nbd_server_that_breaks_is_asked_again(program, tmp_path, disk):
    one = Copy(program, tmp_path, None, disk)
    socket = tmp_path / "socket"
    process = serve(["nbdkit", "-f", "-r", "-U", socket, "--filter=error", "file", disk, "error-pread-rate=20%"], socket)
    try:
        one.spec["source"] = {"type": "nbd", "uri": f"nbd+unix:///?socket={socket}", "generation": "1"}
        one.run()
        one.assert_equal()
    finally:
        process.terminate()
        process.wait()


def test_a_file_arrives_and_its_holes_are_not_read(program, tmp_path, disk):
    one = Copy(program, tmp_path, None, disk)
    assert one.run()["bytesRead"] < disk.stat().st_size
    one.assert_equal()


def test_a_disk_larger_than_the_room_on_the_file_system_is_refused(program, tmp_path):
    disk = tmp_path / "huge.raw"
    size = (2 << 40) + 512
    with open(disk, "wb") as file:
        file.truncate(size)
    one = Copy(program, tmp_path, None, disk)
    result = one.run(code=1)
    assert result["reason"] == "TargetTooSmall"
    assert json.dumps(size) in result["message"]


def test_all_zeros_without_io_uring(program, tmp_path, monkeypatch):
    monkeypatch.setenv("GANTRY_NO_URING", "1")
    disk = make_disk(tmp_path / "plain.raw", 9 * MIB + 512)
    one = Copy(program, tmp_path, None, disk)
    one.run()
    one.assert_equal()
