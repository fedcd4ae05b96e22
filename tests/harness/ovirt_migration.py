"""A cold migration from the tests' oVirt engine."""
from . import manifests, waiting
from .migration import Run


def provider(name, url):
    made = manifests.provider(name, url)
    made["spec"]["type"] = "ovirt"
    return made


class OvirtRun(Run):
    """One plan of one VM of an engine, all named alike."""

    def __init__(self, cluster, engine, vm, name, source=None):
        super().__init__(cluster, engine, vm, name)
        self.engine, self.source = engine, source or name

    def prepare_source(self):
        """Secret, Provider and maps; returns when all are Ready."""
        engine = self.engine
        self.kubectl.apply(manifests.secret(self.source, engine.user, engine.password, cacert=engine.cacert), provider(self.source, engine.url))
        self.kubectl.condition("provider", self.source, "Ready")
        self.kubectl.apply(
            manifests.network_map(self.source, self.source, [({"name": "ovirtmgmt"}, "pod")]),
            manifests.storage_map(self.source, self.source, [{"name": name} for name in engine.ready["storagedomains"]]))
        self.kubectl.condition("networkmap", self.source, "Ready")
        self.kubectl.condition("storagemap", self.source, "Ready")
        return self

    def prepare(self):
        self.kubectl.apply(manifests.plan(self.name, self.source, [{"name": self.vm}], network=self.source, storage=self.source))
        self.kubectl.condition("plan", self.name, "Ready")
        return self

    def plan(self, **more):
        return manifests.plan(self.name, self.source, [{"name": self.vm}], network=self.source, storage=self.source, **more)

    def nothing_is_left(self):
        """No transfer of ours is open at the engine; and every disk can be used there again."""
        waiting.until("end of every transfer", lambda: not self.engine.log()["left"])
