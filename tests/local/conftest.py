"""Tests of the local cluster itself: `gantry up --bare`, without Gantry's own services."""
import pytest

from harness.cluster import Cluster


@pytest.fixture(scope="module")
def new_cluster(gantry, tmp_path_factory):
    """A function that starts one more bare `gantry up`. All are ended with the module."""
    made = []

    def start():
        cluster = Cluster(gantry, tmp_path_factory.mktemp("bare"), "--bare")
        made.append(cluster)
        return cluster.start()

    yield start
    for one in made:
        try:
            code = one.stop()
            complaints = one.complaints()
        finally:
            one.end_processes()
        assert code == 0, f"gantry up ended with {code}:\n{one.report()}"
        assert not complaints, "\n".join(complaints)


@pytest.fixture
def namespace(kubectl, request):
    """A Namespace of the test's own, deleted at its end."""
    name = request.node.name.replace("_", "-").replace("test-", "", 1)[:40].strip("-").lower()
    kubectl("create", "namespace", name)
    yield name
    kubectl("delete", "namespace", name)
