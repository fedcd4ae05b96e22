"""The controller in place of the one in its Pod, killed wherever a VM gets from one phase into the next."""
import os
import pathlib
import re
import select
import signal
import subprocess
import time

from . import waiting
from .cluster import SANITIZER

PHASE = re.compile(rb" INFO phase plan=(\S+) vm=\S+ phase=(\S+)")


class KilledController:
    """The one in the Pod is stopped and this one acts in its place, among its files and under its name: it need not wait for the Lease,
    nor, when it is killed for the tenth time, for the kubelet, which pauses longer each time."""

    def __init__(self, pid, log):
        self.pid, self.log = pid, log
        entries = pathlib.Path(f"/proc/{pid}/environ").read_bytes().decode().split("\0")
        self.environment = dict(entry.split("=", 1) for entry in entries if "=" in entry)
        arguments = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")[:-1]
        self.command = ["nsenter", "--target", str(pid), "--mount", *([] if os.geteuid() == 0 else ["--user", "--preserve-credentials"]), *arguments]
        self.killed = []

    def __enter__(self):
        os.kill(self.pid, signal.SIGSTOP)
        return self

    def __exit__(self, *_):
        """The kubelet starts its own anew."""
        os.kill(self.pid, signal.SIGKILL)

    def run(self, plan, ended):
        """Until ended() is true. Gives the phases at which it was killed: each in the moment between its log line and its status."""
        end = time.monotonic() + waiting.LONG
        while self._run_once(plan, ended):
            assert time.monotonic() < end, f"no end, but killed at {self.killed}"
        assert not SANITIZER.search(self.log.read_text()), self.log.read_text()
        return self.killed

    def _run_once(self, plan, ended):
        """TRUE when it was killed at another phase."""
        with subprocess.Popen(self.command, env=self.environment, stderr=subprocess.PIPE, bufsize=0) as process, open(self.log, "ab") as log:
            try:
                return self._watch(process, log, plan.encode(), ended)
            finally:
                process.kill()
                self._take_rest(process, log, plan.encode())

    def _phase(self, line, plan):
        """The phase that the line tells of, when it is one at which it was not killed yet."""
        found = PHASE.search(line)
        return found[2] if found and found[1].split(b"/")[-1] == plan and found[2] not in self.killed else None

    def _take_rest(self, process, log, plan):
        """What it said until the kill was done: it was killed after that, too, and a later one does not say it again."""
        process.wait()
        os.set_blocking(process.stderr.fileno(), False)
        rest = process.stderr.readall() or b""
        log.write(rest)
        for line in rest.splitlines():
            if phase := self._phase(line, plan):
                self.killed.append(phase)

    def _watch(self, process, log, plan, ended):
        end = time.monotonic() + waiting.LONG
        while not ended():
            assert time.monotonic() < end, f"no end after it was killed at {self.killed}"
            look_again = time.monotonic() + 0.5
            while time.monotonic() < look_again:
                if not select.select([process.stderr], [], [], 0.1)[0]:
                    continue
                line = process.stderr.readline()
                assert line, f"the controller ended by itself with {process.wait()}: {self.log.read_text()[-2000:]}"
                log.write(line)
                log.flush()
                if phase := self._phase(line, plan):
                    self.killed.append(phase)
                    return True
        return False
