"""KubeVirt's own validating code admits every VirtualMachine of this folder, and the instance that comes of it.

Its code takes minutes to build (tests/peers/kubevirt), so that it judges in `./test real`; `./test` holds each manifest to the
digest under which it was admitted. After a change: GANTRY_GOLDEN=write ./test real tests/machines
"""
import copy
import hashlib
import json
import os
import subprocess

import pytest
import yaml

from harness.vcenter import ROOT, build_peer

FOLDER = ROOT / "tests/machines"
RECORD = FOLDER / "admitted.txt"

needs_the_judge = pytest.mark.skipif(os.environ.get("GANTRY_API") != "real", reason="needs KubeVirt's own code, which ./test real builds")


def machines():
    found = {}
    for path in sorted(FOLDER.glob("*.yaml")):
        documents = list(yaml.safe_load_all(path.read_text(encoding="utf-8")))
        if len(documents) == 2:
            found[path.stem] = documents[1]
    return found


def digest(machine):
    return hashlib.sha256(json.dumps(machine, sort_keys=True).encode()).hexdigest()


def judged(machines_by_name):
    """What KubeVirt says of each: "admitted", or "refused: FIELD: why"."""
    lines = [json.dumps({**one, "metadata": {**one["metadata"], "namespace": name}}) for name, one in machines_by_name.items()]
    judge = subprocess.run([build_peer("kubevirt")], input="\n".join(lines), text=True, stdout=subprocess.PIPE, check=False)
    verdicts = dict(line.split("/", 1) for line in judge.stdout.splitlines())
    assert verdicts.keys() == machines_by_name.keys()
    return {name: verdict.split(": ", 1)[1] for name, verdict in verdicts.items()}


@needs_the_judge
def test_kubevirt_admits_every_manifest():
    found = machines()
    assert len(found) >= 60 and not {name: verdict for name, verdict in judged(found).items() if verdict != "admitted"}
    if os.environ.get("GANTRY_GOLDEN") == "write":
        RECORD.write_text("".join(f"{name} {digest(machine)}\n" for name, machine in found.items()), encoding="utf-8")


def test_every_manifest_is_one_that_kubevirt_admitted():
    recorded = dict(line.split(" ") for line in RECORD.read_text(encoding="utf-8").splitlines())
    changed = {name for name, machine in machines().items() if recorded.pop(name, None) != digest(machine)}
    assert not changed and not recorded, "GANTRY_GOLDEN=write ./test real tests/machines judges them anew"


WRONG = {
    "secure boot without SMM": (lambda spec: spec["domain"]["features"].pop("smm"), "SecureBoot requires SMM"),
    "an interface without its network": (lambda spec: spec["networks"].clear(), "not found"),
    "a bus that is not offered": (lambda spec: spec["domain"]["devices"]["disks"][0]["disk"].update(bus="ide"), "IDE bus is not supported"),
    "a field that is not known": (lambda spec: spec["domain"].update(speed=1), "forbidden property"),
    "a volume that is none of its disks": (lambda spec: spec["volumes"][0].update(name="other"), "not found"),
    "no memory": (lambda spec: spec["domain"].pop("memory"), "memory"),
}


@needs_the_judge
def test_kubevirt_refuses_what_is_wrong():
    """So that what it admits means something."""
    wrong, sound = {}, machines()["efi-secure-boot"]
    for number, (spoil, _) in enumerate(WRONG.values()):
        wrong[str(number)] = copy.deepcopy(sound)
        spoil(wrong[str(number)]["spec"]["template"]["spec"])
    verdicts = judged(wrong)
    for number, (_, words) in enumerate(WRONG.values()):
        assert verdicts[str(number)].startswith("refused: ") and words in verdicts[str(number)], verdicts[str(number)]
