"""local/apiserver answers as the real kube-apiserver does: every story, field by field, against what the real one was recorded with.

The recordings are the real server's own answers (`./test api --record`); `./test api` starts the real server and compares with it directly.
"""
import pytest

from harness.cluster import Cluster
from recorded import NAMES, Listed, load, unlisted
from story import Server, Story


@pytest.fixture(scope="module")
def ours(gantry, tmp_path_factory):
    cluster = Cluster(gantry, tmp_path_factory.mktemp("api"), "--bare")
    cluster.allow("")  # stories delete what controllers are at work on; a sanitizer's report still counts
    cluster.start()
    yield Server(cluster.port, cluster.data / "pki/ca.crt", (cluster.data / "pki/admin.token").read_text(encoding="ascii").strip())
    try:
        assert cluster.stop() == 0, cluster.report()
        assert not cluster.complaints()
    finally:
        cluster.end_processes()


@pytest.fixture(scope="module")
def listed():
    return Listed()


@pytest.mark.parametrize("name", NAMES)
def test_answers_are_the_real_servers(ours, listed, name):
    lines = unlisted(name, load(name), Story(ours, name).tell(), listed)
    assert not lines, f"{len(lines)} differences that docs/local-api.md does not list:\n" + "\n".join(lines)


def test_every_listed_difference_is_there(listed, request):
    """A row that no story needs any more has to go. Runs after the stories."""
    if request.session.testscollected < len(NAMES):
        pytest.skip("not all stories were told")
    idle = [row for row in listed.rows if row not in listed.used]
    assert not idle, f"docs/local-api.md lists differences that are not there: {idle}"
