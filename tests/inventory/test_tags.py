"""Tags that vCenter's users put on VMs: they are in a VM's document, and a change of them alone reaches it."""
import base64
import json
import ssl
import urllib.request

from harness import waiting

VAPI = "/rest/com/vmware/cis"


class Tagging:
    """A user of vCenter's REST interface."""

    def __init__(self, vcenter):
        self.origin, self.context = vcenter.url.removesuffix("/sdk"), ssl.create_default_context(cadata=vcenter.ca)
        password = base64.b64encode(f"{vcenter.user}:{vcenter.password}".encode()).decode()
        self.session = self.ask("POST", "/session", None, Authorization=f"Basic {password}")

    def ask(self, method, path, body, **headers):
        data = None if body is None else json.dumps(body).encode()
        if not headers:
            headers = {"vmware-api-session-id": self.session, "Content-Type": "application/json"}
        request = urllib.request.Request(self.origin + VAPI + path, data=data, method=method, headers=headers)
        with urllib.request.urlopen(request, timeout=120, context=self.context) as answer:
            text = answer.read()
            return json.loads(text).get("value") if text else None

    def new(self, name, category):
        return self.ask("POST", "/tagging/tag", {"create_spec": {"name": name, "description": f"is {name}", "category_id": category}})

    def put(self, tag, vm, how="attach"):
        self.ask("POST", f"/tagging/tag-association/id:{tag}?~action={how}", {"object_id": {"id": vm, "type": "VirtualMachine"}})


def test_tags_are_in_a_vms_document_and_follow_vcenter(new_vcenter, random_disk, bare_inventory, tmp_path):
    disk = str(random_disk(tmp_path / "disk.raw", 2048))
    vcenter = new_vcenter(vms=[{"name": name, "disks": [{"file": disk}]} for name in ("one", "two")])
    tagging = Tagging(vcenter)
    category = tagging.ask("POST", "/tagging/category", {"create_spec": {
        "name": "stage", "description": "", "cardinality": "MULTIPLE", "associable_types": ["VirtualMachine"]}})
    tested, unused = tagging.new("tested", category), tagging.new("unused", category)
    one, two = (vcenter.vms[name]["id"] for name in ("one", "two"))
    tagging.put(tested, one)

    bare_inventory.add("tagged", vcenter)
    source = bare_inventory.path("tagged")

    def tags(vm):
        return bare_inventory.get(f"{source}/workloads/{vm}")["tags"]

    waiting.until("a loaded inventory", lambda: bare_inventory.ask(f"{source}/vms/{two}")[0] == 200)
    assert tags(one) == [{"id": tested, "name": "tested", "description": "is tested", "categoryID": category, "usedBy": []}]
    assert tags(two) == []

    tagging.put(tested, two)
    tagging.put(tested, one, "detach")
    tagging.put(unused, two)
    waiting.until("tags that follow", lambda: tags(one) == [] and {tag["name"] for tag in tags(two)} == {"tested", "unused"}, waiting.LONG)
    assert all(try_["ok"] for try_ in vcenter.log()["logins"])
