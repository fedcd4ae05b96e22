"""The probe that calls functions of src/source, as an object."""
import json
import pathlib
import subprocess

MIB = 1 << 20
SIZE = 24 * MIB + 512 * 5


class Refused(Exception):
    """What the probe could not do; reason as conditions show it."""

    def __init__(self, answer):
        super().__init__(answer["error"])
        self.reason, self.error_class = answer["reason"], answer["class"]


class Probe:
    """build/tests/source/source-probe, logged in to a vCenter, or another type of source."""

    def __init__(self, binary, vcenter, kind="vsphere", trusted=None):
        self.process = subprocess.Popen([binary], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._send({"type": kind, "url": vcenter.url, "user": vcenter.user, "password": vcenter.password, "ca": trusted or vcenter.ca})

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


class Copied:
    """`gantry copy` of a VM's first disk from a vCenter, by a source of the caller's."""

    def __init__(self, binaries, vcenter, vm, folder, source):
        self.folder = pathlib.Path(folder)
        (self.folder / "user").write_text(vcenter.user)
        (self.folder / "password").write_text(vcenter.password)
        with open(self.folder / "disk.img", "wb") as file:
            file.truncate(25 * MIB)
        self.binary = binaries / "src/gantry"
        self.spec = {
            "version": 1, "disk": {"plan": "p", "vm": vm["id"], "id": "2000", "name": vm["disks"][0]["path"], "size": SIZE},
            "source": {"url": vcenter.url, "generation": "1", **source},
            "trust": {"ca": vcenter.ca}, "credentials": str(folder), "target": {"path": str(self.folder / "disk.img")},
            "state": str(self.folder / "state"), "fence": {"uid": "pod", "generation": 1}}

    def run(self, code=0):
        """Gives the result document."""
        (self.folder / "spec.json").write_text(json.dumps(self.spec))
        ran = subprocess.run([self.binary, "copy", "--spec", self.folder / "spec.json"], capture_output=True, text=True, check=False)
        assert "Sanitizer" not in ran.stderr and "runtime error" not in ran.stderr, ran.stderr
        assert ran.returncode == code, ran.stdout + ran.stderr
        return json.loads(ran.stdout.splitlines()[-1])

    def bytes(self):
        return (self.folder / "disk.img").read_bytes()[:SIZE]
