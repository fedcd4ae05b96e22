"""Our validation service beside Open Policy Agent's own server: the same requests, the same answers."""
import json
import pathlib
import urllib.parse

import pytest
import yaml

from harness.policy import VALIDATE, Opa, Service, ids_of_rules, in_order

OVIRT = yaml.safe_load((pathlib.Path(__file__).parent / "ovirt.yaml").read_text(encoding="utf-8"))
BASE = "v1/data/io/konveyor/forklift"
NAMED = json.dumps({"input": {"name": "db", "cpuAffinity": [0, 2], "disks": [{"rdm": True}, {"shared": True}], "guestId": "x<y>&z"}})

REQUESTS = [
    ("GET", f"{BASE}/vmware/rules_version", None),
    ("GET", f"{BASE}/ovirt/rules_version/", None),
    ("GET", f"{BASE}/vmware/rules_version/rules_version", None),
    ("GET", f"{BASE}/vmware/rules_version?pretty", None),
    ("GET", f"{BASE}/vmware/RULES_VERSION", None),
    ("GET", f"{BASE}/vmware/concerns", None),
    ("GET", f"{BASE}/vmware/concerns?input=" + urllib.parse.quote('{"name": "a b"}'), None),
    ("GET", f"{BASE}/vmware/concerns?input=" + urllib.parse.quote('{"name": '), None),
    ("GET", f"{BASE}/vmware/nothing", None),
    ("GET", f"{BASE}/nothing/here", None),
    ("GET", f"{BASE}/vmware/errors", None),
    ("GET", f"{BASE}/vmware", None),
    ("GET", BASE, None),
    ("GET", "v1/data", None),
    ("POST", "v1/data", "{}"),
    ("POST", f"{BASE}/vmware/validate", NAMED),
    ("POST", f"{BASE}/vmware/validate?pretty=true", NAMED),
    ("POST", f"{BASE}/vmware/concerns", NAMED),
    ("POST", f"{BASE}/vmware/valid_vm_name", NAMED),
    ("POST", f"{BASE}/vmware", NAMED),
    ("POST", f"{BASE}/vmware/nothing", NAMED),
    ("POST", f"{BASE}/vmware/validate", None),
    ("POST", f"{BASE}/vmware/validate", "{}"),
    ("POST", f"{BASE}/vmware/validate", '{"other": 1}'),
    ("POST", f"{BASE}/vmware/validate", '{"input": null}'),
    ("POST", f"{BASE}/vmware/validate", '{"input": 5}'),
    ("POST", f"{BASE}/vmware/validate", '{"input": {"name": 7}}'),
    ("POST", f"{BASE}/vmware/validate", '{"input": {"name": "a", "disks": {}, "host": [], "guestDisks": [{"freeSpace": "x"}, 3]}}'),
    ("POST", f"{BASE}/vmware/validate", '{"input": {"name": "a", "devices": 7, "disks": "x", "guestDisks": true, "cpuAffinity": 3}}'),
    ("POST", f"{BASE}/ovirt/validate", '{"input": {"name": "a", "nics": 7, "diskAttachments": null, "snapshots": "x"}}'),
    ("POST", f"{BASE}/vmware/validate", '{"input": '),
    ("POST", f"{BASE}/vmware/validate", "[1]"),
    ("POST", f"{BASE}/vmware/validate", '"x"'),
    ("GET", "health", None),
    ("GET", "nothing", None),
]


def same(ours, theirs):
    """Field by field; of an error, its status and code: each has its own words."""
    (status, document), (their_status, their_document) = ours, theirs
    if status != 200:
        return status == their_status and (their_document is None or document["code"] == their_document["code"])
    return their_status == 200 and in_order(document) == in_order(their_document)


@pytest.mark.parametrize("method, path, body", REQUESTS)
def test_requests_are_answered_as_by_opa(plain_service, opa, method, path, body):
    ours, theirs = plain_service.ask(method, path, body), opa.ask(method, path, body)
    assert same(ours, theirs), f"\nours:   {ours}\ntheirs: {theirs}"


def odd_document(odd):
    document = {**OVIRT["plain"], **odd["with"]}
    return {**document, "diskAttachments": document["diskAttachments"] * odd.get("disks", 1)}


def test_every_ovirt_rule_fires_alone_and_as_in_opa(plain_service, opa):
    assert plain_service.concerns("ovirt", OVIRT["plain"]) == []
    assert {one["id"] for one in OVIRT["odd"]} == ids_of_rules("ovirt")
    for odd in OVIRT["odd"]:
        document = odd_document(odd)
        ours = plain_service.concerns("ovirt", document)
        assert {concern["id"] for concern in ours} == {odd["id"], *odd.get("too", [])}, odd
        assert in_order(ours) == in_order(opa.concerns("ovirt", document))


def test_many_at_once_are_answered_as_one_by_one(plain_service):
    documents = {odd["id"]: odd_document(odd) for odd in OVIRT["odd"]}
    status, answer = plain_service.ask("POST", "v1/batch/data/" + VALIDATE.format("ovirt"), {"inputs": documents})
    assert status == 200 and answer["responses"].keys() == documents.keys()
    for name, document in documents.items():
        assert in_order(answer["responses"][name]["result"]["concerns"]) == in_order(plain_service.concerns("ovirt", document))


# What custom rules are made of; "answer" is what is compared. The first run as programs, the others as they are parsed.
PROGRAMS = [
    'answer if { x := input.missing; not startswith(x, "d") }',
    'answer if { x := input.missing }',
    'answer if { x := input.off }',
    'answer contains n if { some disk in input.disks; n := disk.size; n > 1 }',
    'answer contains i if { some i; size := input.disks[i].size; size == 1 }',
    'answer := [d | some e in input.disks; d := e.name]',
    'answer if { every d in input.disks { s := d.size; s > 0 } }',
    'f(x) := 1 if { y := x.name; y == "b" } else := 2 if { x.size == 1 } else := 3\nanswer contains f(d) if some d in input.disks',
    'g(x) if { n := x.name; n == "b" }\nanswer contains d.size if { some d in input.disks; not g(d) }',
    'default ok := false\nok if { n := input.missing; n }\nanswer if not ok',
    'default answer := 7\nanswer := 8 if { n := input.missing; n == null }',
    'answer contains d.size if { some d in input.disks; d.name != "b" }',
    'answer := object.get(input, ["host", "cluster", "on"], "none")',
    'answer contains sprintf("%s %v", [d.name, d.size]) if { some d in input.disks }',
    'answer if { not input.host.cluster.on; count(input.disks) > 1 }',
    'answer contains round(x) if { x := input.disks[_].size / 3 }',
    'sizes[name] := size if { some d in input.disks; name := d.name; size := d.size }\nanswer := sizes',
    'answer := input',
]
PARSED = [
    'answer if { _ := input.name }',
    'answer if { [x, y] := input.pair; x < y }',
    'answer := {k: v | some k, v in input; is_string(v)}',
    'answer if { other with input as {"on": true} }\nother if input.on',
    'answer contains n if { some disk in input.disks; n := disk.size; n > 1 }',
]
DOCUMENTS = [
    {}, {"name": "Data", "off": False, "pair": [1, 2], "disks": [{"name": "a", "size": 1}, {"name": "b", "size": 2}]},
    {"name": "data", "missing": "x", "disks": [{"size": 0}, {"name": ""}, {"name": "b", "size": 7}]},
    {"name": 7, "missing": False, "disks": {"x": {"name": "b", "size": 1}}, "host": {"cluster": {"on": True}}},
    {"name": None, "missing": None, "off": True, "disks": [], "host": {"cluster": []}}, {"pair": [2, "x"], "host": 5},
]


@pytest.mark.parametrize("constructs", [PROGRAMS, PARSED], ids=["programs", "parsed"])
def test_what_rules_are_made_of_means_what_it_means_to_opa(gantry, tmp_path, constructs):
    rules = tmp_path / "rules"
    rules.mkdir()
    for number, construct in enumerate(constructs):
        (rules / f"case_{number}.rego").write_text(f'package case_{number}\n\nimport rego.v1\n\n{construct}\n\nvalidate := {{"answer": answer}}\n', encoding="utf-8")
    with Service(gantry, rules, tmp_path) as ours, Opa([rules], tmp_path) as opa:
        for number, construct in enumerate(constructs):
            for document in DOCUMENTS:
                answers = [one.ask("POST", f"v1/data/case_{number}/validate", {"input": document}) for one in (ours, opa)]
                assert same(*answers), f"{construct} over {document}\nours:   {answers[0]}\ntheirs: {answers[1]}"
