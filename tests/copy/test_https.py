"""gantry copy from a datastore over HTTPS: what is right arrives whole, what is wrong is said clearly."""
import http.client
import json
import os
import subprocess
import urllib.request

import pytest
from copying import MIB, Copy, make_disk
from datastore import PASSWORD, Datastore, Fault
from harness.cluster import free_ports


def test_a_disk_arrives_whole_and_is_proved(copy, store):
    result = copy.run()
    copy.assert_equal()
    assert result["result"] == "Completed" and result["readBack"] == "equal"
    assert result["size"] == copy.raw.stat().st_size
    assert result["hash"].startswith("xxh3-128:") and len(result["hash"]) == 9 + 32
    head, *_, digest = (copy.state / "2000.manifest").read_text().splitlines()
    assert digest == "digest " + result["hash"][9:]
    assert json.loads(head)["disk"]["id"] == "2000"
    assert store.logins == 1 and store.logouts == 1


def test_zeros_take_no_room(copy):
    copy.run()
    assert os.stat(copy.target).st_blocks * 512 < 0.85 * copy.raw.stat().st_size


@pytest.mark.parametrize("size", [512, 4096 + 512, MIB - 512, 4 * MIB, 4 * MIB + 512, 12 * MIB + 65536 - 512])
@pytest.mark.parametrize("data", [0, 1])
def test_odd_sizes_and_all_zeros(program, tmp_path, store, size, data):
    disk = make_disk(tmp_path / "odd.raw", size, seed=size, data=data)
    store.add_disk("odd.vmdk", disk)
    one = Copy(program, tmp_path, store, disk, "odd.vmdk")
    assert one.run()["result"] == "Completed"
    one.assert_equal()
    if not data:
        assert os.stat(one.target).st_blocks == 0


@pytest.mark.parametrize("fault", [
    Fault("drop", times=5, after=2),
    Fault("drop", times=3, after=1, at=0),
    Fault("status", times=3, after=2, status=503),
    Fault("status", times=1, after=2, status=500),
    Fault("forget sessions", times=1, after=3),
    Fault("status", times=1, after=3, status=401),
    Fault("delay", times=3, after=2, seconds=0.3),
    Fault("short", times=1, after=2),
    Fault("wrong range", times=1, after=2),
], ids=lambda fault: f"{fault.kind} {fault.more}")
def test_what_passes_is_overcome(copy, store, fault):
    store.faults.append(fault)
    copy.run()
    copy.assert_equal()


def test_a_session_that_ends_is_opened_again_once(copy, store):
    store.faults.append(Fault("forget sessions", times=1, after=3))
    copy.run()
    assert store.logins == 2


@pytest.mark.parametrize("status, reason, kind, code", [(403, "SourceForbidden", "fatal", 1), (404, "SourceNotFound", "fatal", 1),
                                                        (416, "SourceChanged", "stale", 77)])
def test_a_refusal_is_final(copy, store, status, reason, kind, code):
    store.faults.append(Fault("status", times=1000, after=2, status=status))
    result = copy.run(code=code)
    assert (result["class"], result["reason"]) == (kind, reason)
    assert "remedy" in result


def test_a_source_without_ranges_is_refused(copy, store):
    store.faults.append(Fault("whole file", times=1000))
    assert copy.run(code=1)["reason"] == "SourceWithoutRanges"


def test_a_wrong_password_is_tried_once(copy, store):
    (copy.directory / "credentials/password").write_text("wrong")
    result = copy.run(code=1)
    assert result["reason"] == "ConnectionAuthFailed"
    assert store.logins == 1
    assert "wrong" not in (copy.log + json.dumps(result)).replace("wrong user", "")
    # the Pod's container is started again: the account must not be locked by that
    assert "not tried again" in copy.run(code=1)["message"]
    assert store.logins == 1
    (copy.directory / "credentials/password").write_text(PASSWORD)
    copy.spec["fence"]["generation"] = 2
    copy.run()
    copy.assert_equal()


def test_basic_authentication_where_there_is_no_api(program, tmp_path, disk):
    (tmp_path / "host").mkdir()
    store = Datastore(tmp_path / "host", has_api=False)
    store.add_disk("vm 1/disk.vmdk", disk)
    one = Copy(program, tmp_path, store, disk)
    assert "basic" in one.run()["reader"]
    one.assert_equal()
    (one.directory / "credentials/password").write_text("wrong")
    store.logins = 0
    assert one.run(code=1)["reason"] == "ConnectionAuthFailed"
    assert store.logins == 1
    store.close()


def test_basic_authentication_where_files_know_no_session(program, tmp_path, disk):
    (tmp_path / "host").mkdir()
    store = Datastore(tmp_path / "host", session_for_files=False)
    store.add_disk("vm 1/disk.vmdk", disk)
    assert Copy(program, tmp_path, store, disk).run()["result"] == "Completed"
    store.close()


@pytest.mark.parametrize("algorithm", ["sha1", "sha256"])
def test_a_pinned_fingerprint_is_enough(copy, store, algorithm):
    copy.spec["trust"] = {"fingerprint": store.fingerprint(algorithm).lower()}
    copy.run()
    copy.assert_equal()


@pytest.mark.parametrize("trust", [{}, {"fingerprint": "AA:" * 19 + "AA"}, {"fingerprint": "AA:" * 31 + "AA"}])
def test_an_unknown_certificate_gets_no_request(copy, store, trust):
    copy.spec["trust"] = trust
    result = copy.run(code=1)
    assert result["reason"] == "CertificateNotTrusted"
    assert store.requests == 0 and store.logins == 0
    seen = store.fingerprint("sha1" if len(trust.get("fingerprint", "")) == 59 else "sha256")
    assert seen in result["message"]


def test_insecure_has_to_be_said(copy):
    copy.spec["trust"] = {"insecure": True}
    copy.run()
    copy.assert_equal()


@pytest.mark.parametrize("trust, says", [({"fingerprint": "AA:BB"}, "fingerprint"), ({"ca": "no pem"}, "")])
def test_trust_that_makes_no_sense_is_refused(copy, trust, says):
    copy.spec["trust"] = trust
    result = copy.run(code=1)
    assert result["reason"] in ("BadInput", "CertificateNotTrusted") and says in result["message"]


def test_a_descriptor_that_lies_is_refused_before_anything_is_written(program, tmp_path, store, disk):
    sectors = disk.stat().st_size // 512
    for claimed, says in ((sectors + 8, "descriptor says"), (sectors - 8, "descriptor says")):
        store.add_disk("lie.vmdk", disk, sectors=claimed)
        one = Copy(program, tmp_path, store, disk, "lie.vmdk")
        result = one.run(code=1)
        assert result["reason"] == "DiskDescriptorInvalid" and says in result["message"]
        assert os.stat(one.target).st_blocks == 0 and not one.state.exists()
    # the descriptor and the VM's configuration agree, but the file is shorter
    store.add_disk("lie.vmdk", disk, sectors=sectors + 8)
    one = Copy(program, tmp_path, store, disk, "lie.vmdk")
    one.spec["disk"]["size"] = (sectors + 8) * 512
    result = one.run(code=1)
    assert result["reason"] == "DiskDescriptorInvalid"
    assert str(disk.stat().st_size) in result["message"]


def test_a_delta_that_is_none_is_refused_with_what_to_do(program, tmp_path, store, disk):
    store.add_disk("snap.vmdk", disk, kind="VMFSSPARSE")
    result = Copy(program, tmp_path, store, disk, "snap.vmdk").run(code=1)
    assert result["reason"] == "DiskTablesInvalid" and "vmkfstools" in result["remedy"]
    assert "snap-flat.vmdk (COWD): it does not begin with COWD" in result["message"]


def test_a_target_that_is_too_small_is_found_first(copy, store):
    os.truncate(copy.target, 37 * MIB)
    result = copy.run(code=1)
    assert result["reason"] == "TargetTooSmall"
    assert os.stat(copy.target).st_blocks == 0
    assert store.bytes_sent() <= 512


def test_a_source_that_changes_while_it_is_copied_is_noticed(copy, store):
    store.rate = 20 * MIB
    process = copy.start_until(lambda: store.bytes_sent() > 8 * MIB)
    os.utime(copy.raw, (1, 1))
    out, err = process.communicate(timeout=300)
    assert process.returncode == 77, out + err
    assert json.loads(out.splitlines()[-1])["reason"] == "SourceChanged"


def test_progress_and_metrics_are_served(copy, store):
    store.rate = 20 * MIB
    address = f"127.0.0.1:{free_ports(1)}"
    process = copy.start("--listen", address)
    seen, text, rates = {}, "", []
    while process.poll() is None:
        try:
            with urllib.request.urlopen(f"http://{address}/progress", timeout=20) as reply:
                seen = json.load(reply)
            rates.append(seen["bytesPerSecond"])
            with urllib.request.urlopen(f"http://{address}/metrics", timeout=20) as reply:
                text = reply.read().decode()
        except (OSError, http.client.HTTPException, ValueError):  # not there yet, or just ending
            continue
    out, err = process.communicate()
    assert process.returncode == 0, out + err
    assert set(seen) == {"phase", "bytesTotal", "bytesDone", "bytesRead", "bytesWritten", "bytesVerified", "bytesPerSecond"}
    assert seen["bytesTotal"] == copy.raw.stat().st_size and 0 < max(rates) < 1000 * MIB
    assert 'kubevirt_cdi_import_progress_total{ownerUID="pod-1"} ' in text
    lines = [json.loads(line) for line in out.splitlines()]
    assert lines[0]["phase"] == "Copying" and lines[-1]["result"] == "Completed"


@pytest.mark.parametrize("change, says", [
    (lambda spec: spec["disk"].update(size=1000), "disk.size is 1000; it must be a multiple of 512"),
    (lambda spec: spec["source"].update(type="carrier pigeon"), 'source.type is "carrier pigeon"; it must be one of'),
    (lambda spec: spec["source"].update(url="http://vc/sdk"), "source.url"),
    (lambda spec: spec["source"].pop("datastore"), "source.datastore is missing"),
    (lambda spec: spec.update(credentials="/nowhere"), "/nowhere/user"),
])
def test_a_wrong_spec_is_named(copy, change, says):
    change(copy.spec)
    result = copy.run(code=1)
    assert result["reason"] == "BadInput" and says in result["message"]


def test_the_manifest_proves_the_target_later(copy):
    copy.run()
    verify = [copy.program, "verify", copy.state / "2000.manifest", copy.target]
    said = json.loads(subprocess.run([*verify, "--json"], capture_output=True, text=True, check=True).stdout)
    assert said["verifiedBytes"] == said["size"] == copy.raw.stat().st_size and said["readBack"] == "equal"
    text = subprocess.run(verify, capture_output=True, text=True, check=True).stdout
    assert f"hash       {said['hash']}\n" in text and text == (copy.state / "2000.report").read_text()
    with open(copy.target, "r+b") as file:
        file.seek(9 * MIB)
        file.write(b"changed")
    bad = subprocess.run(verify, capture_output=True, text=True, check=False)
    assert bad.returncode == 1 and "bytes 8388608 to 12582911 are not those of the manifest" in bad.stderr


@pytest.mark.parametrize("damage, says", [
    (lambda text: text[:200], "line 1"),
    (lambda text: text.replace("digest ", "digest 0"), "digest"),
    (lambda text: text.replace("\n", "\nzz", 1), "line 2"),
    (lambda text: "\n".join(text.splitlines()[:3]), "line 4"),
    (lambda text: text.replace('"version":1', '"version":2'), "version 1"),
], ids=["cut in its head", "wrong digest", "no hash", "cut short", "another version"])
def test_a_damaged_manifest_is_named_by_its_line(copy, damage, says):
    copy.run()
    manifest = copy.state / "2000.manifest"
    manifest.write_text(damage(manifest.read_text()))
    bad = subprocess.run([copy.program, "verify", manifest, copy.target], capture_output=True, text=True, check=False)
    assert bad.returncode == 1 and says in bad.stderr and "Sanitizer" not in bad.stderr
