"""Fixtures of the end-to-end tests. tests/harness has the objects behind them."""
import os
import pathlib
import random
import subprocess

import pytest

from harness.cluster import Cluster
from harness.real import RealCluster
from harness.vcenter import ROOT, Vcenter

GUESTS = ROOT / "tests/guests"


def pytest_configure(config):
    os.environ["PATH"] = f"{ROOT}/.cache/venv/bin:{os.environ['PATH']}"
    os.environ.setdefault("GANTRY_SEED", "737016354")  # ./test runs the same schedules each time; ./test soak draws others


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    setattr(item, f"report_{report.when}", report)
    return report


@pytest.fixture(scope="session")
def gantry():
    """The program: $GANTRY_BINARY, else the sanitizer build."""
    path = pathlib.Path(os.environ.get("GANTRY_BINARY", ROOT / "build-asan/gantry"))
    assert path.exists(), f"{path} is not there; scripts/build asan makes it"
    return path


@pytest.fixture(scope="module")
def new_cluster(gantry, tmp_path_factory, new_vcenter):
    """A function that starts one more cluster: `gantry up`, or, with GANTRY_API=real (tests/on-real-api), the real kube-apiserver and `gantry
    node`. All are ended with the module, before its vCenters."""
    made = []
    kind = RealCluster if os.environ.get("GANTRY_API") == "real" else Cluster

    def start():
        cluster = kind(gantry, tmp_path_factory.mktemp("cluster"))
        made.append(cluster)
        return cluster.start()

    yield start
    problems = []
    for one in made:
        try:
            if code := one.stop():
                problems.append(f"gantry up ended with {code}:\n{one.report()}")
            problems += one.complaints()
        except AssertionError as error:
            problems.append(str(error))
        finally:
            one.end_processes()
    assert not problems, "\n".join(problems)


@pytest.fixture(scope="module")
def module_cluster(new_cluster):
    return new_cluster()


@pytest.fixture
def cluster(module_cluster, request):
    """The module's `gantry up`. A test that leaves a sanitizer report or an unexpected warning in any log has failed."""
    yield module_cluster
    check_logs(module_cluster, request)


def check_logs(cluster, request):
    complaints = cluster.complaints()
    if getattr(request.node, "report_call", None) and request.node.report_call.failed:
        print(cluster.report())
    assert not complaints, "unexpected in the logs:\n" + "\n".join(complaints)


@pytest.fixture
def own_cluster(new_cluster, request):
    """A `gantry up` of this test's own, to be killed and started again."""
    cluster = new_cluster()
    yield cluster
    check_logs(cluster, request)


@pytest.fixture
def kubectl(cluster):
    return cluster.kubectl


@pytest.fixture(scope="module")
def new_vcenter(tmp_path_factory):
    """A function that starts a vCenter with a configuration (tests/peers/vcenter/config.go). All are ended with the module."""
    made = []

    def start(**config):
        vcenter = Vcenter(tmp_path_factory.mktemp("vcenter"), config)
        made.append(vcenter)
        return vcenter

    yield start
    for one in made:
        one.stop()


@pytest.fixture(scope="session")
def tiny_guest(tmp_path_factory):
    """A function that makes a boot disk of the tiny guest: tiny_guest(path, extra_sectors)."""
    def make(path, extra_sectors=0):
        subprocess.run([GUESTS / "tiny.sh", path, "--stay"], check=True)
        os.truncate(path, path.stat().st_size + extra_sectors * 512)
        return path

    return make


@pytest.fixture(scope="session")
def debian_guest():
    """A function that makes the boot disk of the real Debian; behind LUKS and UEFI with a file of its passphrase: debian_guest(path, key)."""
    def make(path, *key):
        subprocess.run([GUESTS / "debian.sh", path, *key], check=True)
        return path

    return make


@pytest.fixture(scope="session")
def random_disk():
    """A function that makes a disk of random bytes with holes in it: random_disk(path, sectors, seed)."""
    def make(path, sectors, seed=1):
        source = random.Random(seed)
        size, chunk = sectors * 512, 1 << 20
        with open(path, "wb") as disk:
            for offset in range(0, size, chunk):
                if source.random() < 0.8:
                    disk.seek(offset)
                    disk.write(source.randbytes(min(chunk, size - offset)))
            disk.truncate(size)
        return path

    return make
