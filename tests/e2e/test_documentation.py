"""The documentation: each block of commands is run, commands that are there and have these options, links that lead somewhere, metrics that are
served."""
import functools
import os
import re
import shlex
import subprocess

import pytest

from harness import waiting
from harness.cluster import ROOT, Cluster
from harness.migration import Run
from harness.vcenter import estate

PAGES = sorted([*(ROOT / "docs").glob("*.md"), ROOT / "README.md", ROOT / "ARCHITECTURE.md", ROOT / "tests/README.md"])


def text_of(page):
    return page.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def told(gantry):
    """What --help of a subcommand says."""
    @functools.cache
    def ask(*words):
        result = subprocess.run([gantry, *words, "--help"], text=True, capture_output=True, timeout=waiting.SHORT, check=False)
        assert result.returncode == 0, f"gantry {' '.join(words)} --help: {result.stderr}"
        return result.stdout

    return ask


@pytest.mark.parametrize("page", [page for page in PAGES if re.search(r"^gantry ", text_of(page), re.M)], ids=lambda page: page.name)
def test_its_examples_are_words_that_gantry_knows(told, page):
    """Each line that runs gantry: its verb is there, and has its options."""
    for line in re.findall(r"^gantry (.*)$", text_of(page), re.M):
        words = shlex.split(line, comments=True)
        for option in [word for word in words if re.match(r"-[a-z-]", word)]:
            assert re.search(rf"(^|\s){re.escape(option)}[,=\s]", told(words[0])), f"gantry {words[0]} has no {option}"
        assert told(words[0])


def test_its_links_lead_somewhere():
    for page in PAGES:
        for path, anchor in re.findall(r"\]\((?!https?:)([^)#\s]*)(#[^)\s]*)?\)", text_of(page)):
            target = page.parent / path if path else page
            assert target.exists(), f"{page.name}: there is no {path}"
            if anchor:
                headings = [re.sub(r"[^\w -]", "", heading).strip().lower().replace(" ", "-")
                            for heading in re.findall(r"^#+ (.*)$", text_of(target), re.M)]
                assert anchor[1:] in headings, f"{page.name}: {path} has no heading {anchor}"


def test_its_first_page_names_every_other():
    index = text_of(ROOT / "docs/README.md")
    assert not [page.name for page in (ROOT / "docs").glob("*.md") if page.name != "README.md" and f"({page.name})" not in index]


def test_it_names_the_metrics_that_are_served():
    served = set(re.findall(r'\{"((?:mtv|gantry)_\w+)", "\w+"', text_of(ROOT / "src/controller/metrics.c")))
    named = set(re.findall(r"`((?:mtv|gantry)_\w+)`", text_of(ROOT / "docs/operating.md")))
    assert served == named and len(served) > 10


# ---- blocks of commands ---------------------------------------------------------------------------------------------

# By whom else, or why not, a page's first, second … block is run.
ELSEWHERE = {
    ("README.md", 0): "test_demo.py runs ./demo with each of its options; this is ./test",
    **{("command-line.md", number): "test_command_line.py" for number in range(3)},
    ("first-migration.md", 0): "test_command_line.py",
    ("install.md", 0): "./test real, tests/harness/real.py: on a cluster that nothing is installed on",
    ("developing.md", 0): "it builds the project and runs tests, as the run that this test is in has done",
}
HERE = {("README.md", 1), ("operating.md", 0), ("operating.md", 1), ("operating.md", 2), ("inventory.md", 0), ("must-gather.md", 0),
        ("settings.md", 0), ("vsphere.md", 0), ("warm.md", 0), ("command-line.md", 3), ("local-api.md", 0), ("one-machine.md", 0)}


def blocks(page):
    """What a page has to be run or applied: fenced, without the name of another language."""
    return [text for language, text in re.findall(r"^```(\w*)\n(.*?)^```", text_of(page), re.M | re.S) if language in ("", "sh", "yaml")]


def block(name, number, *replaced):
    """A page's block, with what it leaves open filled in: pairs of what is printed and what is meant."""
    (page,) = [page for page in PAGES if page.name == name and page.parent != ROOT / "tests" and (name != "README.md" or page.parent == ROOT)]
    text = blocks(page)[number]
    for printed, ours in replaced:
        assert printed in text, f"{name}: {printed}"
        text = text.replace(printed, str(ours))
    return text


def test_each_block_of_commands_is_run():
    there = {(page.name, number) for page in PAGES for number, _ in enumerate(blocks(page))}
    assert there == HERE | set(ELSEWHERE)


@pytest.fixture(scope="module")
def moved(module_cluster, new_vcenter, random_disk, tmp_path_factory):
    """A plan web that has moved a VM web1."""
    disk = random_disk(tmp_path_factory.mktemp("disks") / "web1.raw", 2048)
    vcenter = new_vcenter(**estate(vms=[{"name": "web1", "powerOn": True, "memoryMB": 64, "hostName": "web1", "disks": [{"file": str(disk)}],
                                         "nics": [{"network": "VM Network", "mac": "00:50:56:0e:03:01"}]}]))
    run = Run(module_cluster, vcenter, "web1", "web").prepare().start()
    run.finish()
    return run


@pytest.fixture
def shell(gantry, module_cluster, tmp_path):
    """A function that runs a script in a shell, where gantry is the program, and gives what it printed."""
    def call(script, cwd=tmp_path):
        environment = {**os.environ, "GANTRY": str(gantry), "KUBECONFIG": str(module_cluster.data / "kubeconfig"), "LC_ALL": "C.UTF-8"}
        told = subprocess.run(["bash", "-c", f'set -e\ngantry() {{ "$GANTRY" "$@"; }}\n{script}'], cwd=cwd, env=environment, text=True,
                              capture_output=True, timeout=waiting.LONG, check=False)
        assert told.returncode == 0, f"{script}\n{told.stdout}{told.stderr}"
        return told.stdout

    return call


def test_what_operating_says_goes_as_it_is_printed(shell, moved, module_cluster, tmp_path):
    told = shell(block("operating.md", 2, ("/var/log/", f"{tmp_path}/")))
    assert "guest asked to shut down" in told and '"vm"' in (tmp_path / "gantry-audit.jsonl").read_text(encoding="utf-8")
    assert not shell("gantry audit web --vm web1 -o json").strip("[]\n")


def test_a_process_is_asked_as_it_is_printed(shell, module_cluster):
    """Asked are the controller's processes, in their container: those of this machine are other tests' too."""
    within = 'gantry() { kubectl exec -n openshift-mtv deploy/forklift-controller -c main -- gantry "$@"; }\n'
    assert "level 3\n" in shell(within + block("operating.md", 0))
    told = shell(within + block("operating.md", 1))
    assert "queue plan: " in told and "informer plans: " in told and "VmRSS: " in told
    told = shell(within + block("command-line.md", 3))
    assert told.count("queue plan: ") == 2 and "level 3\n" in told
    assert "level 2\n" in shell(within + "gantry debug level 2")


def test_a_user_is_made_as_it_is_printed(shell, kubectl):
    kubectl("create", "namespace", "team")
    try:
        token = shell(block("local-api.md", 0)).splitlines()[-1]
        assert shell("kubectl auth can-i create pods -n team --as system:serviceaccount:team:ann") and len(token) > 30
    finally:
        kubectl("delete", "namespace", "team", "--wait=false")


def test_a_backup_is_made_and_put_back_as_it_is_printed(gantry, shell, tmp_path):
    cluster = Cluster(gantry, tmp_path, "--bare")
    cluster.start()
    assert cluster.stop() == 0
    save, restore = block("one-machine.md", 0, ("--data DIR BACKUP", f"--data {cluster.data} {tmp_path}/backup")).splitlines()
    shell(save)
    for file in cluster.data.glob("state.db*"):
        file.unlink()
    shell(restore)
    assert (cluster.data / "state.db").exists()


def test_the_archives_are_made_as_it_is_printed(shell, moved, tmp_path):
    text = block("must-gather.md", 0, ("PLAN ", "web "), ("--vm VM [--namespace NS]", "--vm web1 --namespace default"), (" NS ", " default "))
    lines = [line for line in text.splitlines() if line and not line.startswith("oc ")]  # the guide's line is the scoreboard's
    assert len(lines) == 4
    for line in lines:
        shell(line)
        (archive,) = tmp_path.glob("*must-gather*.tar.gz")
        assert "web" in shell(f"tar tzf {archive}")
        archive.unlink()


def test_settings_of_a_plan_and_a_cutover_are_made_as_it_is_printed(shell, moved):
    shell(block("settings.md", 0, ("plan/night", "plan/web")))
    shell(block("warm.md", 0, ("MIGRATION", "web")))


def test_a_host_is_taken_as_it_is_printed(shell, moved):
    """Its names are another estate's: the API's schema and defaults judge it, and it is not kept."""
    assert "esxi-1" in shell(f"kubectl apply --dry-run=server -f - <<END\n{block('vsphere.md', 0)}\nEND\n")


def test_the_inventory_is_asked_as_it_is_printed(shell, moved, module_cluster):
    assert '"vsphere"' in shell(block("inventory.md", 0, ("6445", module_cluster.port + 2)))


def test_the_first_pages_steps_go_as_they_are_printed(shell, gantry, module_cluster, kubectl, new_vcenter, random_disk, tmp_path):
    """README's steps after the demo, but for `gantry up`, with the placeholders of examples/quickstart filled in; its VM, which holds no system, is
    not converted."""
    vcenter = new_vcenter(**estate(networks=["Storage Network"], vms=[
        {"name": "debian", "powerOn": False, "memoryMB": 64, "disks": [{"file": str(random_disk(tmp_path / "debian.raw", 2048))}],
         "nics": [{"network": "VM Network", "mac": "00:50:56:0e:04:01"}]}]))
    folder, bridge = tmp_path / "quickstart", f"gq{module_cluster.port}"
    folder.mkdir()
    for example in (ROOT / "examples/quickstart").iterdir():
        text = example.read_text(encoding="utf-8")
        for printed, ours in (("<user>", vcenter.user), ("<password>", vcenter.password), ("<vcenter_fingerprint>", vcenter.sha1),
                              ("<api_end_point>", vcenter.url), ("gantry-storage", bridge),
                              ("  warm: false", "  warm: false\n  skipGuestConversion: true\n  useCompatibilityMode: false")):
            text = text.replace(printed, ours)
        assert "<" not in text
        (folder / example.name).write_text(text, encoding="utf-8")
    lines = block("README.md", 1, ("examples/quickstart/", f"{folder}/"), ("build/gantry", "gantry")).splitlines()
    script = [line for line in lines if not line.startswith(("gantry up ", "export KUBECONFIG="))]
    assert len(script) == len(lines) - 2 == 3
    told = shell("\n".join(script), cwd=ROOT)
    assert "debian" in told and "read back from the target: equal" in told
