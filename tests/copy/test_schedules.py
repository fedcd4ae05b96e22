"""Seeded schedules of crashes and faults over every reader: the target equals the source, or the error says why.

GANTRY_SEED begins the seeds (they are printed), GANTRY_SCHEDULES says how many are run: 20, or 500 in ./test soak.
"""
import json
import os
import pathlib
import random
import signal
import socket
import subprocess
import time
import urllib.parse

import pytest
from copying import MIB, Copy, make_disk
from datastore import Datastore, Fault
from imageio import Imageio
from line import Line

SCHEDULES = int(os.environ.get("GANTRY_SCHEDULES", 20))
FIRST = int(os.environ.get("GANTRY_SEED", random.randrange(1 << 32)))
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
        self.one = one
        one.spec["source"] = {"type": "file", "path": str(one.raw), "generation": "1"}

    def trouble(self, randoms):
        """Something that goes wrong on the way from now on."""

    def calm(self):
        """No more of it."""

    def close(self):
        """Nothing is left behind."""


class Https(File):
    """The datastore browser, with all that it may answer."""

    def __init__(self, one, randoms):
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
        self.one, image = one, one.directory / "disk.qcow2"
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

    def close(self):
        self.line.close()
        self.daemon.close()
        self.keys.close()


READERS = [File, Https, Nbd, Ovirt]


def storage_fault(storage, one, randoms):
    """Surroundings in which the target or the journal fails."""
    kind = randoms.choice(["power", "power", "eio", "full"])
    return {"LD_PRELOAD": storage, "GANTRY_NO_URING": "1", "STORAGE_ROOT": str(one.directory), "STORAGE_FAULT": kind,
            "STORAGE_AT": str(randoms.randrange(1, 60)), "STORAGE_FOR": str(randoms.randrange(1, 30)),
            "STORAGE_SEED": str(randoms.randrange(1 << 30)), "ASAN_OPTIONS": "detect_leaks=0"}


def change(one, randoms, source):
    """The guest writes; the next generation says what, or only that."""
    if isinstance(source, Ovirt):
        return
    size, ranges, at = one.raw.stat().st_size // 512, [], 0
    with open(one.raw, "r+b") as file:
        while (at := at + randoms.randrange(1, 8000)) < size - 300:
            length = randoms.randrange(1, 300)
            file.seek(at * 512)
            file.write(randoms.choice([randoms.randbytes(length * 512), bytes(length * 512)]))
            ranges.append([at * 512, length * 512])
            at += length
    was = one.spec["source"]["generation"]
    one.spec["source"]["generation"] = str(int(was) + 1)
    one.spec["changes"] = {"since": was, "ranges": ranges}
    if randoms.random() < 0.3:
        del one.spec["changes"]


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
            if attempt(one, randoms, environment) == 0 or randoms.random() < 0.2:
                change(one, randoms, source)
            source.calm()
        one.environment = {}
        one.run()
        one.assert_equal()
        subprocess.run([program, "verify", one.state / "2000.manifest", one.target], check=True)
    finally:
        source.close()
