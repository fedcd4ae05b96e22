"""What an administrator does in a vCenter, over its SOAP API: rename, snapshot, add disks, make, move and delete VMs."""
import http.client
import re
import ssl
from xml.sax.saxutils import escape

from . import waiting

ENVELOPE = ('<Envelope xmlns="http://schemas.xmlsoap.org/soap/envelope/" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
            "<Body>{}</Body></Envelope>")


class Administrator:
    """One session of an administrator. Each call has happened when it returns."""

    def __init__(self, vcenter):
        self.host = vcenter.url.split("/")[2]
        self.cookie, self.added = "", 0
        self._login = (vcenter.user, vcenter.password)
        self.log_in()

    def log_in(self):
        user, password = self._login
        self.cookie = ""
        self.call("Login", "SessionManager", "SessionManager", f"<userName>{escape(user)}</userName><password>{escape(password)}</password>")

    def call(self, method, kind, this, body=""):
        """The answer's text."""
        connection = http.client.HTTPSConnection(self.host, context=ssl._create_unverified_context(), timeout=120)
        text = ENVELOPE.format(f'<{method} xmlns="urn:vim25"><_this type="{kind}">{escape(this)}</_this>{body}</{method}>')
        try:
            connection.request("POST", "/sdk", text.encode(), {"Content-Type": "text/xml", "SOAPAction": "urn:vim25/8.0", "Cookie": self.cookie})
            answer = connection.getresponse()
            self.cookie = answer.headers.get("Set-Cookie", self.cookie).split(";")[0]
            data = answer.read().decode()
        finally:
            connection.close()
        if answer.status != 200:
            raise RuntimeError(f"{method}: {answer.status} {data[:1000]}")
        return data

    def value(self, kind, this, path):
        """The text of one property, "" when it is unset."""
        answer = self.call("RetrieveProperties", "PropertyCollector", "propertyCollector",
                           f"<specSet><propSet><type>{kind}</type><pathSet>{path}</pathSet></propSet>"
                           f'<objectSet><obj type="{kind}">{escape(this)}</obj></objectSet></specSet>')
        found = re.search(r"<val[^>]*>(.*?)</val>", answer, re.S)
        return found.group(1) if found else ""

    def task(self, method, kind, this, body=""):
        """Waits for the task's end and gives its result."""
        task = re.search(r"<returnval[^>]*>([^<]+)<", self.call(method, kind, this, body)).group(1)

        def ended():
            state = self.value("Task", task, "info.state")
            return state if state in ("success", "error") else None

        if waiting.until(f"end of {method}", ended, every=0.02) == "error":
            raise RuntimeError(f"{method}: {self.value('Task', task, 'info.error')}")
        return self.value("Task", task, "info.result")

    def rename(self, vm, name):
        self.task("Rename_Task", "VirtualMachine", vm, f"<newName>{escape(name)}</newName>")

    def power(self, vm, on):
        self.task("PowerOnVM_Task" if on else "PowerOffVM_Task", "VirtualMachine", vm)

    def snapshot(self, vm, name):
        self.task("CreateSnapshot_Task", "VirtualMachine", vm, f"<name>{escape(name)}</name><memory>false</memory><quiesce>false</quiesce>")

    def remove_snapshots(self, vm):
        self.task("RemoveAllSnapshots_Task", "VirtualMachine", vm)

    def add_disk(self, vm, megabytes, datastore="datastore1"):
        self.added += 1
        controller = re.search(r'type="ParaVirtualSCSIController".*?<key>(\d+)</key>', self.value("VirtualMachine", vm, "config.hardware.device"), re.S)
        self.task("ReconfigVM_Task", "VirtualMachine", vm,
                  f'<spec><deviceChange><operation>add</operation><fileOperation>create</fileOperation><device xsi:type="VirtualDisk"><key>-1</key>'
                  f'<backing xsi:type="VirtualDiskFlatVer2BackingInfo"><fileName>[{datastore}] added-{self.added}.vmdk</fileName><diskMode>persistent</diskMode></backing>'
                  f"<controllerKey>{controller.group(1) if controller else 1000}</controllerKey><unitNumber>{8 + self.added % 50}</unitNumber>"
                  f"<capacityInKB>{megabytes * 1024}</capacityInKB></device></deviceChange></spec>")

    def create(self, name, folder, pool, datastore="datastore1"):
        """The new VM's id."""
        return self.task("CreateVM_Task", "Folder", folder,
                         f"<config><name>{escape(name)}</name><guestId>otherGuest</guestId><files><vmPathName>[{datastore}]</vmPathName></files>"
                         '<numCPUs>1</numCPUs><memoryMB>64</memoryMB><deviceChange><operation>add</operation>'
                         '<device xsi:type="ParaVirtualSCSIController"><key>1000</key><busNumber>0</busNumber><sharedBus>noSharing</sharedBus></device></deviceChange></config>'
                         f'<pool type="ResourcePool">{pool}</pool>')

    def delete(self, vm):
        self.task("Destroy_Task", "VirtualMachine", vm)

    def move(self, vm, host):
        """To another ESXi host. (The simulator's MoveIntoFolder_Task hangs while a collector reads.)"""
        self.task("RelocateVM_Task", "VirtualMachine", vm, f'<spec><host type="HostSystem">{host}</host></spec>')

    def ids(self, kind):
        """The ids of all objects of a kind."""
        answer = self.call("CreateContainerView", "ViewManager", "ViewManager",
                           f'<container type="Folder">group-d1</container><type>{kind}</type><recursive>true</recursive>')
        view = re.search(r"<returnval[^>]*>([^<]+)<", answer).group(1)
        return re.findall(r"<ManagedObjectReference[^>]*>([^<]+)<", self.value("ContainerView", view, "view"))
