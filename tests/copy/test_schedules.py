"""Seeded schedules of crashes and faults over every reader: the target equals the source, or the error says why.

GANTRY_SEED begins the seeds (they are printed), GANTRY_SCHEDULES says how many are run: 20, or 500 in ./test soak.
"""
import json
import os
import pathlib
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.parse

import pytest
from copying import MIB, Copy, make_disk
from datastore import PASSWORD, USER, Datastore, Fault
from imageio import Imageio
from line import Line

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests/source")]
from harness.vcenter import Vcenter  # noqa: E402  pylint: disable=wrong-import-position
from probing import Probe  # noqa: E402  pylint: disable=wrong-import-position

SCHEDULES = int(os.environ.get("GANTRY_SCHEDULES", 20))
FIRST = int(os.environ["GANTRY_SEED"])
CODES = {"fatal": 1, "transient": 75, "congested": 76, "stale": 77}


@pytest.fixture(scope="session")
def storage(tmp_path_factory):
    """The library that makes storage fail; before it the sanitizer's, which wants to be first."""
    library = tmp_path_factory.mktemp("storage") / "storage.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-D_GNU_SOURCE", "-O1", "-o", library, pathlib.Path(__file__).with_name("storage.c"), "-ldl"],
                   check=True)
    sanitizer = subprocess.run(["cc", "-print-file-name=libasan.so"], capture_output=True, text=True, check=True).stdout.strip()
    return f"{sanitizer} {library}"


class File:
    """A disk that is a file here; nothing lies between."""

    def __init__(self, one, randoms):
        self.one, self.surroundings = one, {}
        one.spec["source"] = {"type": "file", "path": str(one.raw), "generation": "1"}

    def trouble(self, randoms):
        """Something that goes wrong on the way from now on."""

    def calm(self):
        """No more of it."""

    def change(self, randoms):
        """The guest writes; the next generation says what, or only that."""
        one = self.one
        size, ranges, at = one.raw.stat().st_size // 512, [], 0
        while (at := at + randoms.randrange(1, 8000)) < size - 300:
            length = randoms.randrange(1, 300)
            self.write(at * 512, randoms.choice([randoms.randbytes(length * 512), bytes(length * 512)]))
            ranges.append([at * 512, length * 512])
            at += length
        was = one.spec["source"]["generation"]
        one.spec["source"]["generation"] = str(int(was) + 1)
        one.spec["changes"] = {"since": was, "ranges": ranges}
        if randoms.random() < 0.3:
            del one.spec["changes"]

    def write(self, at, data):
        with open(self.one.raw, "r+b") as file:
            file.seek(at)
            file.write(data)

    def close(self):
        """Nothing is left behind."""


class Chain(File):
    """Sparse VMDK files in a folder, as QEMU writes them."""

    def __init__(self, one, randoms):
        super().__init__(one, randoms)
        self.folder = one.directory / "chain"
        self.folder.mkdir()
        self.layers = ["base"]
        subprocess.run(["qemu-img", "convert", "-O", "vmdk", one.raw, self.folder / "base.vmdk"], check=True)
        for _ in range(randoms.randrange(1, 4)):
            self.add_layer(randoms)
        self.place()

    def place(self):
        self.one.spec["source"] = {"type": "vmdk", "path": str(self.top()), "generation": "1"}

    def top(self):
        return self.folder / f"{self.layers[-1]}.vmdk"

    def add_layer(self, randoms):
        below = self.top().name
        self.layers.append(f"layer{len(self.layers)}")
        subprocess.run(["qemu-img", "create", "-q", "-f", "vmdk", "-F", "vmdk", "-b", below, self.top()], check=True)
        size = self.one.raw.stat().st_size
        for _ in range(randoms.randrange(1, 6)):
            at = randoms.randrange(size // 512) * 512
            self.write(at, randoms.choice([randoms.randbytes, bytes])(min(randoms.randrange(1, 300) * 512, size - at)))

    def write(self, at, data):
        super().write(at, data)
        pattern = self.one.directory / "pattern"
        pattern.write_bytes(data)
        subprocess.run(["qemu-io", "-f", "vmdk", "-c", f"write -s {pattern} {at} {len(data)}", self.top()], check=True, capture_output=True)


class Https(File):
    """The datastore browser, with all that it may answer."""

    def __init__(self, one, randoms):
        super().__init__(one, randoms)
        self.store = Datastore(one.directory)
        self.store.add_disk("vm 1/disk.vmdk", one.raw)
        one.spec["source"] = {"type": "https", "url": self.store.url, "datacenter": "DC 0", "datastore": "store",
                              "path": "vm 1/disk.vmdk", "generation": "1"}
        one.spec["trust"] = {"ca": self.store.ca}

    def trouble(self, randoms):
        if randoms.random() < 0.3:  # once: a new session that is not accepted either is a refused login
            self.store.faults.append(Fault("forget sessions", after=len(self.store.ranges) + randoms.randrange(4)))
        for _ in range(randoms.randrange(1, 4)):
            kind, more = randoms.choice([
                ("status", {"status": 503}), ("status", {"status": 500}), ("status", {"status": 404}), ("wrong range", {}),
                ("short", {}), ("whole file", {}), ("delay", {"seconds": 0.3}), ("drop", {"at": randoms.randrange(MIB)}),
                ("drop", {"at": 0})])
            self.store.faults.append(Fault(kind, times=randoms.choice([1, 1, 2, 5]), after=len(self.store.ranges) + randoms.randrange(4), **more))

    def calm(self):
        self.store.faults.clear()

    def close(self):
        self.store.close()


class ChainOverHttps(Chain, Https):
    """The same files on a datastore."""

    def place(self):
        Https.__init__(self, self.one, None)
        for name in self.layers:
            self.store.files[f"vm 1/{name}.vmdk"] = str(self.folder / f"{name}.vmdk")
        self.one.spec["source"]["path"] = f"vm 1/{self.top().name}"


class Vddk(File):
    """The VDDK of the tests: reads fail and end in any order, sessions are lost, the host has no memory."""

    def __init__(self, one, randoms):
        super().__init__(one, randoms)
        library = one.directory / "vddk/lib64"
        library.mkdir(parents=True)
        (library / "libvixDiskLib.so.8").symlink_to(pathlib.Path(one.program).resolve().parents[1] / "src/copy/libvddk-dummy.so")
        (one.directory / "credentials/password").write_text("secret")
        one.spec["trust"] = {"fingerprint": "AA:BB"}
        one.spec["source"] = {"type": "vddk", "url": "https://vc/sdk", "vm": "vm-1", "file": "[a] b.vmdk", "library": str(library.parent),
                              "generation": "1"}
        self.calm()

    def trouble(self, randoms):
        for name, values in (("LOSE_EVERY", [4, 20]), ("FAIL_EVERY", [3, 10]), ("DELAY_MS", [1, 20]), ("ROOM", [2 * MIB, 5 * MIB])):
            if randoms.random() < 0.5:
                self.surroundings[f"DUMMY_{name}"] = str(randoms.choice(values))
        self.surroundings["DUMMY_SEED"] = str(randoms.randrange(1 << 30))

    def calm(self):
        self.surroundings = {"DUMMY_FILE": str(self.one.raw)}


class Cut(File):
    """A server behind a line that is cut."""

    def trouble(self, randoms):
        self.line.cuts += [randoms.choice([0, 200, 5000, randoms.randrange(4 * MIB)]) for _ in range(randoms.randrange(1, 9))]
        self.line.delay = randoms.choice([0, 0, 0.002])

    def calm(self):
        self.line.cuts.clear()
        self.line.delay = 0


class Nbd(Cut):
    """nbdkit over TCP."""

    def __init__(self, one, randoms):
        super().__init__(one, randoms)
        port_file = one.directory / "pid"
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = probe.getsockname()[1]
        self.process = subprocess.Popen(["nbdkit", "-f", "-r", "-i", "127.0.0.1", "-p", str(port), "-P", port_file, "file", one.raw],
                                        stderr=subprocess.DEVNULL)
        end = time.monotonic() + 30
        while not port_file.exists():
            assert self.process.poll() is None and time.monotonic() < end
            time.sleep(0.01)
        self.line = Line("127.0.0.1", port)
        one.spec["source"] = {"type": "nbd", "uri": f"nbd://127.0.0.1:{self.line.port}", "generation": "1"}

    def close(self):
        self.line.close()
        self.process.terminate()
        self.process.wait()


class Ovirt(Cut):
    """The real ovirt-imageio over TLS; a ticket may end."""

    def __init__(self, one, randoms):
        super().__init__(one, randoms)
        image = one.directory / "disk.qcow2"
        subprocess.run(["qemu-img", "convert", "-f", "raw", "-O", "qcow2", one.raw, image], check=True)
        self.keys = Datastore(one.directory)  # only its certificate
        self.daemon = Imageio(one.directory, image, self.keys.certificate, f"{self.keys.certificate}.crt")
        self.parts = urllib.parse.urlsplit(self.daemon.new_ticket())
        self.line = Line("127.0.0.1", self.parts.port)
        one.spec["source"] = {"type": "imageio", "url": self.through(self.parts), "generation": "1"}
        one.spec["trust"] = {"ca": self.keys.ca}
        one.spec.pop("credentials", None)

    def through(self, parts):
        return parts._replace(netloc=f"127.0.0.1:{self.line.port}").geturl()

    def trouble(self, randoms):
        super().trouble(randoms)
        if randoms.random() < 0.3:
            self.one.spec["source"]["url"] = self.through(self.parts) + "0"

    def calm(self):
        super().calm()
        self.one.spec["source"]["url"] = self.through(self.parts)

    def change(self, randoms):
        """The image stays as it is."""

    def close(self):
        self.line.close()
        self.daemon.close()
        self.keys.close()


class Snapshots(Cut):
    """A running VM in the vCenter of the tests, read at a snapshot: deltas as ESXi writes them, over HTTPS."""

    def __init__(self, one, randoms):
        super().__init__(one, randoms)
        disk = one.directory / "flat.raw"
        shutil.copyfile(one.raw, disk)
        deltas = randoms.choice(["seSparse", "vmfsSparse"])
        self.vcenter = Vcenter(one.directory / "vcenter", {"user": USER, "password": PASSWORD, "vms": [
            {"name": "vm", "powerOn": True, "deltas": deltas, "disks": [{"file": str(disk)}]}]})
        self.vm, self.label = self.vcenter.vms["vm"], 0
        self.probe = Probe(pathlib.Path(one.program).resolve().parents[1] / "tests/source/source-probe", self.vcenter)
        self.probe("track", self.vm, owner="plan-1")
        parts = urllib.parse.urlsplit(self.vcenter.url)
        self.line = Line("127.0.0.1", parts.port)
        self.url = parts._replace(netloc=f"127.0.0.1:{self.line.port}").geturl()
        one.spec["trust"] = {"ca": self.vcenter.ca}
        for _ in range(randoms.randrange(1, 4)):
            self.take_snapshot(randoms)

    def take_snapshot(self, randoms):
        """The guest has written, and another snapshot is what is to be copied; then it writes on."""
        self.label += 1
        self.vcenter.guest(self.vm, disk=2000, seed=randoms.randrange(1 << 30), writes=20)
        snapshot = self.probe("create", self.vm, owner="plan-1", label=str(self.label))["snapshot"]
        self.vcenter.guest(self.vm, disk=2000, seed=randoms.randrange(1 << 30), writes=20)
        top = pathlib.Path(self.vcenter.export(self.vm, 2000, self.one.raw, snapshot)).read_text()
        frozen = re.search('parentFileNameHint="(.*)"', top).group(1)
        self.one.spec["source"] = self.source(snapshot, frozen) | {"url": self.url, "generation": snapshot}

    def source(self, snapshot, descriptor):
        return {"type": "https", "datacenter": self.vcenter.datacenter, "datastore": "datastore1", "path": f"vm/{descriptor}"}

    def trouble(self, randoms):
        super().trouble(randoms)
        if randoms.random() < 0.3:
            self.vcenter.fault("expire-sessions")
        if randoms.random() < 0.5:
            self.vcenter.fault("status", where="folder", status=randoms.choice([500, 503, 404]), count=randoms.choice([1, 1, 3]))
        if randoms.random() < 0.3:
            self.vcenter.fault("drop-mid-body", match=".vmdk", count=randoms.randrange(1, 4))

    def calm(self):
        super().calm()
        self.vcenter.lift()

    def change(self, randoms):
        self.take_snapshot(randoms)

    def close(self):
        self.line.close()
        self.probe.close()
        self.vcenter.stop()


class Lease(Snapshots):
    """The same, streamed."""

    def source(self, snapshot, descriptor):
        return {"type": "lease", "vm": self.vm["id"], "snapshot": snapshot}

    def trouble(self, randoms):
        super().trouble(randoms)
        if randoms.random() < 0.3:  # the lease ends under a stream that stands still
            self.vcenter.fault("lease-timeout", milliseconds=1000)
            self.vcenter.fault("delay", match="nfc", milliseconds=1500)


READERS = [File, Https, Nbd, Ovirt, Chain, ChainOverHttps, Snapshots, Lease, Vddk]


def storage_fault(storage, one, randoms):
    """Surroundings in which the target or the journal fails."""
    kind = randoms.choice(["power", "power", "eio", "full"])
    return {"LD_PRELOAD": storage, "GANTRY_NO_URING": "1", "STORAGE_ROOT": str(one.directory), "STORAGE_FAULT": kind,
            "STORAGE_AT": str(randoms.randrange(1, 60)), "STORAGE_FOR": str(randoms.randrange(1, 30)),
            "STORAGE_SEED": str(randoms.randrange(1 << 30)), "ASAN_OPTIONS": "detect_leaks=0"}


def attempt(one, randoms, environment):
    """One run that may be killed. Gives its exit code, None: killed."""
    one.environment = environment
    process = one.start()
    if randoms.random() < 0.4:
        try:
            process.wait(timeout=randoms.random() * 1.5)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
    out, err = process.communicate(timeout=180)
    assert "Sanitizer" not in err and "runtime error" not in err, err
    if process.returncode == -signal.SIGKILL:
        return None
    result = json.loads(out.splitlines()[-1])
    if process.returncode == 0:
        assert result["result"] == "Completed"
        one.assert_equal()
    else:
        assert result["result"] == "Failed" and all(result[name] for name in ("reason", "message", "remedy")), out + err
        assert process.returncode == CODES[result["class"]], out + err
    return process.returncode


@pytest.mark.parametrize("number", range(SCHEDULES))
def test_the_target_equals_the_source_or_the_error_says_why(program, tmp_path, storage, number):
    seed = FIRST + number
    print(f"GANTRY_SEED={seed} GANTRY_SCHEDULES=1")
    randoms = random.Random(seed)
    disk = make_disk(tmp_path / "source.raw", randoms.randrange(1, 20 * MIB) // 512 * 512 + 512, seed=seed, data=0.8)
    one = Copy(program, tmp_path, None, disk)
    source = READERS[seed % len(READERS)](one, randoms)
    try:
        for _ in range(randoms.randrange(2, 5)):
            if randoms.random() < 0.6:
                source.trouble(randoms)
            environment = storage_fault(storage, one, randoms) if randoms.random() < 0.6 else {}
            if attempt(one, randoms, source.surroundings | environment) == 0 or randoms.random() < 0.2:
                source.change(randoms)
            source.calm()
        one.environment = source.surroundings
        one.run()
        one.assert_equal()
        subprocess.run([program, "verify", one.state / "2000.manifest", one.target], check=True)
    finally:
        source.close()
