"""CustomResourceDefinitions and the objects of their kinds."""
import copy

from story import story
from stories_lists import TABLE
from stories_objects import APPLY, JSON, MERGE, STRATEGIC

ROOT = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
WIDGETS = "/apis/story.gantry.io/v1/namespaces/{ns}/widgets"
SCHEMA = {"type": "object", "required": ["spec"], "properties": {
    "spec": {"type": "object", "required": ["size"], "description": "What is wanted.", "properties": {
        "size": {"type": "integer", "minimum": 1, "maximum": 10, "description": "How large."},
        "color": {"type": "string", "enum": ["red", "green"], "default": "red"},
        "code": {"type": "string", "pattern": "^[a-z]+$", "maxLength": 4, "minLength": 2},
        "ratio": {"type": "number", "multipleOf": 0.5, "exclusiveMinimum": True, "minimum": 0},
        "port": {"x-kubernetes-int-or-string": True},
        "when": {"type": "string", "format": "date-time"},
        "replicas": {"type": "integer", "format": "int32", "default": 1},
        "nothing": {"type": "string", "nullable": True},
        "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
        "labels": {"type": "object", "additionalProperties": {"type": "string"}, "maxProperties": 2},
        "names": {"type": "array", "items": {"type": "string"}, "maxItems": 2, "minItems": 1, "x-kubernetes-list-type": "set"},
        "parts": {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"], "items": {
            "type": "object", "required": ["name"], "properties": {"name": {"type": "string"}, "count": {"type": "integer", "default": 2}}}},
        "one": {"type": "object", "oneOf": [{"required": ["a"]}, {"required": ["b"]}], "properties": {"a": {"type": "string"}, "b": {"type": "string"}}},
        "deep": {"type": "object", "default": {}, "properties": {"x": {"type": "boolean", "default": True}}},
    }},
    "status": {"type": "object", "properties": {"replicas": {"type": "integer"}, "phase": {"type": "string"}}}}}


def definition(plural="widgets", kind="Widget", **version):
    return {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": f"{plural}.story.gantry.io"}, "spec": {
        "group": "story.gantry.io", "scope": "Namespaced", "names": {"plural": plural, "kind": kind, "shortNames": ["wd"] if plural == "widgets" else []},
        "versions": [{"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": copy.deepcopy(SCHEMA)}, **version}]}}


FULL = {"subresources": {"status": {}, "scale": {"specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas"}},
        "additionalPrinterColumns": [{"name": "Size", "type": "integer", "jsonPath": ".spec.size"}, {"name": "Color", "type": "string", "jsonPath": ".spec.color", "priority": 1},
                                     {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"}]}


def widget(name, metadata=None, **spec):
    return {"apiVersion": "story.gantry.io/v1", "kind": "Widget", "metadata": {"name": name, **(metadata or {})}, "spec": {"size": 1, **spec}}


def established(body):
    return any(one["type"] == "Established" and one["status"] == "True" for one in body["status"].get("conditions") or [])


def defined(api, **version):
    api.raw("POST", ROOT, definition(**(version or FULL)))
    api.wait(ROOT + "/widgets.story.gantry.io", look=established)
    api.wait(WIDGETS)


def undefined(api):
    api.raw("DELETE", ROOT + "/widgets.story.gantry.io")
    api.wait(ROOT + "/widgets.story.gantry.io", gone=True)


@story
def custom_objects(api):
    defined(api)
    api("created", "POST", WIDGETS, widget("a", parts=[{"name": "p"}, {"name": "q", "count": 5}], extra="pruned", free={"kept": {"x": 1}}))
    api("read", "GET", WIDGETS + "/a")
    api("unknown, strict", "POST", WIDGETS + "?fieldValidation=Strict", widget("b", extra="x", deep={"y": 1}))
    api("unknown, warn", "POST", WIDGETS + "?fieldValidation=Warn&dryRun=All", widget("b", extra="x"))
    for title, spec in {"too small": {"size": 0}, "too large": {"size": 11}, "no integer": {"size": 1.5}, "text": {"size": "1"}, "null": {"size": None},
                        "no color": {"color": "blue"}, "bad code": {"code": "A1"}, "long code": {"code": "abcde"}, "short code": {"code": "a"},
                        "bad ratio": {"ratio": 0.3}, "zero ratio": {"ratio": 0}, "bad port": {"port": True}, "bad time": {"when": "yesterday"},
                        "null allowed": {"nothing": None}, "null color": {"color": None}, "many labels": {"labels": {"a": "1", "b": "2", "c": "3"}},
                        "no text": {"labels": {"a": 1}}, "no names": {"names": []}, "many names": {"names": ["a", "b", "c"]}, "same names": {"names": ["a", "a"]},
                        "same parts": {"parts": [{"name": "a"}, {"name": "a"}]}, "no key": {"parts": [{"count": 1}]}, "neither": {"one": {}},
                        "both": {"one": {"a": "1", "b": "2"}}, "a list": {"deep": []}}.items():
        api(title, "POST", WIDGETS + "?dryRun=All", widget("b", **spec))
    api("no spec", "POST", WIDGETS, {"apiVersion": "story.gantry.io/v1", "kind": "Widget", "metadata": {"name": "b"}})
    api("no kind", "POST", WIDGETS, {"metadata": {"name": "b"}, "spec": {"size": 1}})
    api("no version", "PUT", WIDGETS + "/a", widget("a", size=2))
    api("merge", "PATCH", WIDGETS + "/a", {"spec": {"size": 2, "color": None}}, type=MERGE)
    api("json", "PATCH", WIDGETS + "/a", [{"op": "add", "path": "/spec/parts/-", "value": {"name": "r"}}], type=JSON)
    api("strategic", "PATCH", WIDGETS + "/a", {"spec": {"size": 3}}, type=STRATEGIC)
    api("merge to invalid", "PATCH", WIDGETS + "/a", {"spec": {"size": 99}}, type=MERGE)
    api("applied", "PATCH", WIDGETS + "/a?fieldManager=m&force=true", widget("a", parts=[{"name": "q", "count": 6}]), type=APPLY)
    api("status by object", "PATCH", WIDGETS + "/a", {"status": {"phase": "ignored"}}, type=MERGE)
    api("status", "PATCH", WIDGETS + "/a/status", {"status": {"phase": "on", "replicas": 1, "odd": 1}, "spec": {"size": 9}}, type=MERGE)
    api("status applied", "PATCH", WIDGETS + "/a/status?fieldManager=s", {"apiVersion": "story.gantry.io/v1", "kind": "Widget", "metadata": {"name": "a"},
                                                                             "status": {"replicas": 2}}, type=APPLY)
    api("status put", "PUT", WIDGETS + "/a/status", {**api.raw("GET", WIDGETS + "/a")[2], "status": {"phase": "off"}})
    api("scale", "GET", WIDGETS + "/a/scale")
    api("scaled", "PATCH", WIDGETS + "/a/scale", {"spec": {"replicas": 3}}, type=MERGE)
    api("table", "GET", WIDGETS, accept=TABLE)
    api("listed", "GET", WIDGETS)
    api("by name", "GET", WIDGETS + "?fieldSelector=metadata.name=a", keep=lambda body: len(body["items"]))
    api("by another field", "GET", WIDGETS + "?fieldSelector=spec.color=red")
    api("deleted", "DELETE", WIDGETS + "/a")
    undefined(api)
    api("gone", "GET", WIDGETS)


@story
def definitions(api):
    made = definition(**FULL)
    api("dry run", "POST", ROOT + "?dryRun=All", made)
    api("created", "POST", ROOT, made, keep=lambda body: {**body, "status": None})
    api.wait(ROOT + "/widgets.story.gantry.io", look=established)
    api("established", "GET", ROOT + "/widgets.story.gantry.io")
    api.wait(WIDGETS)
    api("group", "GET", "/apis/story.gantry.io")
    api("resources", "GET", "/apis/story.gantry.io/v1", keep=lambda body: {**body, "resources": [{name: value for name, value in one.items() if name != "storageVersionHash"}
                                                                                                for one in body["resources"]]})
    for title, change in {"wrong name": lambda d: d["metadata"].update(name="x.story.gantry.io"), "no schema": lambda d: d["spec"]["versions"][0].pop("schema"),
                          "no storage": lambda d: d["spec"]["versions"][0].update(storage=False), "no versions": lambda d: d["spec"].update(versions=[]),
                          "bad scope": lambda d: d["spec"].update(scope="Odd"), "bad kind": lambda d: d["spec"]["names"].update(kind="not ok"),
                          "no type": lambda d: d["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"].pop("type"),
                          "bad default": lambda d: d["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]["size"].update(default=99),
                          "bad pattern": lambda d: d["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]["code"].update(pattern="["),
                          "bad column": lambda d: d["spec"]["versions"][0].update(additionalPrinterColumns=[{"name": "x", "type": "odd", "jsonPath": ".x"}])}.items():
        bad = definition("gadgets", "Gadget")
        change(bad)
        api(title, "POST", ROOT + "?dryRun=All", bad)
    api.raw("POST", WIDGETS, widget("a", metadata={"finalizers": ["gantry.io/hold"]}))
    api("removed", "DELETE", ROOT + "/widgets.story.gantry.io", keep=lambda body: [body.get("kind"), body.get("status", {}) if body["kind"] == "Status" else body["metadata"].get("finalizers")])
    api.note("held by its objects", api.raw("GET", ROOT + "/widgets.story.gantry.io")[0])
    api.raw("PATCH", WIDGETS + "/a", {"metadata": {"finalizers": None}}, type=MERGE)
    api.wait(ROOT + "/widgets.story.gantry.io", gone=True)
    api("no group any more", "GET", "/apis/story.gantry.io/v1")


@story
def rules_in_schemas(api):
    schema = {"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}},
                                                         "x-kubernetes-validations": [{"rule": "self.a <= self.b", "message": "a must not be greater than b"}]}}}
    defined(api, schema={"openAPIV3Schema": schema})
    api("kept", "POST", WIDGETS + "?dryRun=All", {"apiVersion": "story.gantry.io/v1", "kind": "Widget", "metadata": {"name": "a"}, "spec": {"a": 1, "b": 2}})
    api("broken", "POST", WIDGETS + "?dryRun=All", {"apiVersion": "story.gantry.io/v1", "kind": "Widget", "metadata": {"name": "a"}, "spec": {"a": 3, "b": 2}})
    undefined(api)
