"""Disks, and `gantry copy` as an object."""
import json
import os
import pathlib
import random
import signal
import subprocess
import time

from datastore import PASSWORD, USER

MIB = 1 << 20


def make_disk(path, size, seed=1, data=0.6):
    """A disk of so many bytes: runs of random data and of zeros, the same for the same seed."""
    randoms = random.Random(seed)
    with open(path, "wb") as file:
        file.truncate(size)
        at = 0
        while at < size:
            run = min(randoms.randrange(512, 3 * MIB), size - at)
            if randoms.random() < data:
                file.seek(at)
                file.write(randoms.randbytes(run))
            at += run
    return path


class Copy:
    """One disk to be copied by `gantry copy`, as often as a test likes."""

    def __init__(self, program, directory, store, raw, path="vm 1/disk.vmdk"):
        self.program, self.directory, self.raw = program, pathlib.Path(directory), pathlib.Path(raw)
        size = self.raw.stat().st_size
        credentials = self.directory / "credentials"
        credentials.mkdir(exist_ok=True)
        (credentials / "user").write_text(USER)
        (credentials / "password").write_text(PASSWORD)
        self.environment = {}
        self.target, self.state = self.directory / "disk.img", self.directory / "state"
        self.spec = {
            "version": 1,
            "disk": {"plan": "plan-uid", "vm": "vm-1", "id": "2000", "name": f"[store] {path}", "size": size},
            "source": {"type": "https", "url": store.url, "datacenter": "DC 0", "datastore": "store", "path": path,
                       "generation": "1"} if store else {"type": "file", "path": str(raw), "generation": "1"},
            "trust": {"ca": store.ca} if store else {},
            "credentials": str(credentials),
            "target": {"path": str(self.target)}, "state": str(self.state),
            "fence": {"uid": "pod-1", "generation": 1}, "limits": {"connections": 4},
        }
        if size < 1 << 40:  # else the file system may not hold such a file
            with open(self.target, "wb") as file:
                file.truncate(-(-size // MIB) * MIB)

    def start(self, *options, spec=None, name="spec.json"):
        file = self.directory / name
        file.write_text(json.dumps(spec or self.spec))
        return subprocess.Popen([self.program, "copy", "--spec", file, *options], stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True, env={**os.environ, "LOG_LEVEL": "3", **self.environment})

    def run(self, *options, spec=None, code=0):
        """Runs it to its end; gives its result document."""
        process = self.start(*options, spec=spec)
        out, err = process.communicate(timeout=300)
        assert "Sanitizer" not in err and "runtime error" not in err, err
        assert process.returncode == code, out + err
        self.log = err
        return json.loads(out.splitlines()[-1])

    def start_until(self, ready, timeout=300, options=()):
        """Starts it and gives it back when ready() says so; it must not have ended before."""
        process = self.start(*options)
        end = time.monotonic() + timeout
        while not ready():
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < end, "it never came so far"
            time.sleep(0.002)
        return process

    def kill_when(self, ready, timeout=300):
        """Starts it and kills it (SIGKILL) when ready() says so; FALSE: it ended before."""
        process = self.start()
        end = time.monotonic() + timeout
        while process.poll() is None and not ready():
            assert time.monotonic() < end, "it never came so far"
            time.sleep(0.002)
        ended = process.poll() is not None
        process.send_signal(signal.SIGKILL)
        process.communicate()
        return not ended

    def assert_equal(self):
        """The target has the source's bytes, and zeros after them."""
        size = self.raw.stat().st_size
        with open(self.raw, "rb") as source, open(self.target, "rb") as target:
            at = 0
            while at < size:
                piece = source.read(MIB)
                assert target.read(len(piece)) == piece, f"differs in the MiB at {at}"
                at += len(piece)
            assert not any(target.read())
