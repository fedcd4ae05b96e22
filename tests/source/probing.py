"""The probe that calls functions of src/source, as an object."""
import json
import subprocess

MIB = 1 << 20
SIZE = 24 * MIB + 512 * 5


class Refused(Exception):
    """What the probe could not do; reason as conditions show it."""

    def __init__(self, answer):
        super().__init__(answer["error"])
        self.reason, self.error_class = answer["reason"], answer["class"]


class Probe:
    """build/tests/source/source-probe, logged in to a vCenter."""

    def __init__(self, binary, vcenter):
        self.process = subprocess.Popen([binary], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._send({"type": "vsphere", "url": vcenter.url, "user": vcenter.user, "password": vcenter.password, "ca": vcenter.ca})

    def _send(self, document):
        self.process.stdin.write(json.dumps(document) + "\n")
        self.process.stdin.flush()

    def __call__(self, call, vm, **details):
        self._send({"call": call, "vm": vm["id"], **details})
        answer = json.loads(self.process.stdout.readline())
        if "error" in answer:
            raise Refused(answer)
        return answer

    def close(self):
        self.process.stdin.close()
        assert self.process.wait(60) == 0
