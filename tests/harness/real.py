"""A cluster whose API is the real kube-apiserver, with `gantry node` as its node, as an object like harness.cluster's Cluster.

Its Pods and Services have addresses that are no loopback ones, as kube-apiserver asks for it, so it lives in a network namespace where they
are this machine's own: tests/on-real-api makes it.
"""
import itertools

from . import manifests, waiting
from .cluster import ROOT, Cluster, Kubectl
from .kubernetes import Kubernetes

NUMBERS = itertools.count()  # of the clusters of one run, each with networks of its own
NETWORKS = 16  # pairs of them in 10.96.0.0/11
CONTROLLERS = ("deployment-controller", "replicaset-controller", "root-ca-certificate-publisher-controller",
               "persistentvolumeclaim-protection-controller", "persistentvolume-protection-controller")
SETTINGS = {"apiVersion": manifests.API, "kind": "ForkliftController", "metadata": {"name": "forklift-controller", "namespace": manifests.NAMESPACE},
            "spec": {"olm_managed": False}}


class RealCluster(Cluster):
    """etcd, kube-apiserver, kube-controller-manager and one node, with Gantry installed as docs/install.md says."""

    def __init__(self, gantry, directory):
        super().__init__(gantry, directory)
        first = 96 + 2 * (next(NUMBERS) % NETWORKS)
        self.pods = f"10.{first + 1}.0.0/16"
        self.kubernetes = Kubernetes(self.directory / "kubernetes", services=f"10.{first}.0.0/16", more_controllers=CONTROLLERS)
        self.kubectl = Kubectl(self.kubernetes.kubeconfig)

    def command(self):
        return [self.gantry, "node", "--data", self.data, "--kubeconfig", self.kubernetes.kubeconfig, "--pods", self.pods]

    def start(self):
        if not self.kubernetes.processes:
            self.kubernetes.start()
        super().start()
        if self.starts == 1:
            self.install()
        return self

    def install(self):
        self.kubectl("apply", "-f", ROOT / "deploy/kubernetes.yaml")
        self.kubectl.apply(SETTINGS)
        self.kubectl.condition("forkliftcontroller", "forklift-controller", "Successful")
        waiting.until(self._not_available, lambda: not self._not_available(), waiting.LONG)

    def _not_available(self):
        return [one["metadata"]["name"] for one in self.kubectl.get("deployments", selector="app=forklift")
                if one.get("status", {}).get("availableReplicas", 0) < one["spec"]["replicas"]]

    def logs_of(self, namespace, selector):
        """From the node's files: a real API server asks a kubelet's port for logs, and `gantry node` has none."""
        paths = [path for pod in self.kubectl.get("pods", namespace=namespace, selector=selector)
                 for path in sorted((self.data / "pods" / pod["metadata"]["uid"]).glob("*/*.log"))]
        return "".join(path.read_text(encoding="utf-8", errors="replace") for path in paths)

    def stop(self):
        try:
            return super().stop()
        finally:
            self.kubernetes.stop()
