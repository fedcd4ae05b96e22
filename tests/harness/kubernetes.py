"""The real kube-apiserver with etcd and kube-controller-manager, as an object like harness.cluster's Cluster."""
import pathlib
import secrets
import socket
import subprocess

import yaml

from . import peer, waiting
from .cluster import Kubectl

ROOT = pathlib.Path(__file__).resolve().parents[2]
CONTROLLERS = "garbage-collector-controller,namespace-controller,job-controller,serviceaccount-controller,serviceaccount-token-controller"


def build(program):
    """The path of kube-apiserver or kube-controller-manager; minutes the first time."""
    return subprocess.run([ROOT / "tests/peers/build", "kubernetes", program], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


def free_ports(count):
    probes = [socket.socket() for _ in range(count)]
    for probe in probes:
        probe.bind(("127.0.0.1", 0))
    ports = [probe.getsockname()[1] for probe in probes]
    for probe in probes:
        probe.close()
    return ports


class Kubernetes:
    """etcd, kube-apiserver and, unless told otherwise, kube-controller-manager, with one administrator's token."""

    def __init__(self, directory, controllers=True, services="10.96.0.0/16", more_controllers=()):
        self.directory = pathlib.Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.controllers, self.processes, self.token = controllers, {}, secrets.token_hex(16)
        self.services, self.more_controllers = services, more_controllers
        self.port, self.etcd_port, self.etcd_peers = free_ports(3)
        self.ca = self.directory / "apiserver.crt"
        self.kubeconfig = self.directory / "kubeconfig"
        self.kubectl = Kubectl(self.kubeconfig)

    def start(self):
        apiserver = build("kube-apiserver")
        manager = build("kube-controller-manager") if self.controllers else None
        self._run("etcd", "etcd", "--data-dir", self.directory / "etcd", "--listen-client-urls", f"http://127.0.0.1:{self.etcd_port}",
                  "--advertise-client-urls", f"http://127.0.0.1:{self.etcd_port}", "--listen-peer-urls", f"http://127.0.0.1:{self.etcd_peers}",
                  "--initial-advertise-peer-urls", f"http://127.0.0.1:{self.etcd_peers}", "--initial-cluster", f"default=http://127.0.0.1:{self.etcd_peers}")
        self._make_credentials()
        key = self.directory / "accounts.key"
        self._run("kube-apiserver", apiserver, "--etcd-servers", f"http://127.0.0.1:{self.etcd_port}", "--secure-port", self.port,
                  "--bind-address", "127.0.0.1", "--advertise-address", "127.0.0.1", "--cert-dir", self.directory,
                  "--tls-cert-file", self.ca, "--tls-private-key-file", self.directory / "apiserver.key",
                  "--service-cluster-ip-range", self.services, "--authorization-mode", "RBAC", "--token-auth-file", self.directory / "tokens.csv",
                  "--service-account-issuer", "https://kubernetes.default.svc", "--service-account-key-file", key,
                  "--service-account-signing-key-file", key, "--allow-privileged=true", "--endpoint-reconciler-type", "none")
        waiting.until(lambda: "kube-apiserver:\n" + self.log("kube-apiserver"), self._ready)
        if manager:
            self._run("kube-controller-manager", manager, "--kubeconfig", self.kubeconfig, f"--controllers={','.join((CONTROLLERS, *self.more_controllers))}",
                      "--leader-elect=false", "--secure-port=0", "--kube-api-qps=200", "--kube-api-burst=400",
                      "--service-account-private-key-file", key, "--root-ca-file", self.ca)
            waiting.until("default account", lambda: self.kubectl("get", "serviceaccount", "default", check=False).returncode == 0)
        return self

    def _run(self, name, *arguments):
        with open(self.directory / f"{name}.log", "w", encoding="utf-8") as log:
            self.processes[name] = subprocess.Popen([str(word) for word in arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                                    stderr=log)

    def _make_credentials(self):
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=kube-apiserver",
                        "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost", "-keyout", self.directory / "apiserver.key", "-out", self.ca],
                       check=True, capture_output=True)
        subprocess.run(["openssl", "genrsa", "-out", self.directory / "accounts.key", "2048"], check=True, capture_output=True)
        (self.directory / "tokens.csv").write_text(f'{self.token},system:admin,,"system:masters"\n', encoding="ascii")
        self.kubeconfig.write_text(yaml.safe_dump({
            "apiVersion": "v1", "kind": "Config", "current-context": "real",
            "clusters": [{"name": "real", "cluster": {"server": f"https://127.0.0.1:{self.port}", "certificate-authority": str(self.ca)}}],
            "users": [{"name": "admin", "user": {"token": self.token}}],
            "contexts": [{"name": "real", "context": {"cluster": "real", "user": "admin"}}]}), encoding="utf-8")
        self.kubeconfig.chmod(0o600)

    def _ready(self):
        for name, process in self.processes.items():
            if process.poll() is not None:
                raise AssertionError(f"{name} ended with {process.returncode}:\n{self.log(name)}")
        return self.kubectl("get", "--raw", "/readyz", check=False).stdout == "ok"

    def log(self, name, size=4000):
        return (self.directory / f"{name}.log").read_text(encoding="utf-8", errors="replace")[-size:]

    def resident_mb(self):
        """Of kube-apiserver and etcd, without the controllers."""
        return sum(resident_mb(self.processes[name].pid) for name in ("etcd", "kube-apiserver"))

    def stop(self):
        for name in reversed(list(self.processes)):
            peer.end(self.processes.pop(name))


def resident_mb(pid):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0
