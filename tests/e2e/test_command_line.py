"""`gantry` as a command line: each verb against a cluster and a vCenter, what it prints, and how it says no."""
import json
import os
import re
import subprocess

import pytest
import yaml

from harness import waiting
from harness.cluster import ROOT, condition_of

DISK = 1 << 20


@pytest.fixture(scope="module")
def vcenter(new_vcenter, tmp_path_factory):
    disk = tmp_path_factory.getbasetemp() / "command-line.raw"
    disk.write_bytes(os.urandom(DISK))

    def vm(name, number):
        return {"name": name, "powerOn": name == "web1", "disks": [{"file": str(disk)}], "memoryMB": 128 * number,
                "nics": [{"network": "VM Network", "mac": f"00:50:56:0e:00:0{number}"}]}

    return new_vcenter(vms=[vm("web1", 1), vm("web2", 2), vm("Data Base", 3)])


@pytest.fixture(scope="module")
def run(gantry, module_cluster):
    """A function that runs gantry with the cluster's kubeconfig; it gives what was printed, or asserts the code that is wanted."""
    def call(*words, stdin=None, code=0, kubeconfig=None):
        environment = {**os.environ, "KUBECONFIG": str(kubeconfig or module_cluster.data / "kubeconfig"), "LC_ALL": "C.UTF-8"}
        result = subprocess.run([gantry, *map(str, words)], input=stdin, env=environment, text=True, capture_output=True,
                                timeout=waiting.LONG, check=False)
        assert result.returncode == code, f"{words}: exit code {result.returncode}: {result.stdout}{result.stderr}"
        return result.stdout if code == 0 else result.stderr + result.stdout

    return call


@pytest.fixture(scope="module")
def provider(run, vcenter):
    run("create", "provider", "vc", "--type", "vsphere", "--url", vcenter.url, "--user", vcenter.user, "--password-file", "-",
        "--fingerprint", vcenter.sha1, stdin=vcenter.password + "\n")
    run("wait", "provider", "vc")
    return "vc"


def rows(text):
    """A printed table as lists of cells."""
    return [re.split(r"\s{2,}", line.rstrip()) for line in text.splitlines()]


def test_the_ten_minutes_of_the_first_page_go_as_they_are_printed(gantry, module_cluster, new_vcenter, random_disk, tmp_path):
    """docs/first-migration.md, line by line in a shell, but for `gantry up`: names, address and fingerprint are those of a simulator, and its
    VM, which holds no system, is not converted. First of all here: while it is there, its provider is the only one."""
    vcenter = new_vcenter(vms=[{"name": "ten", "powerOn": False, "memoryMB": 64, "disks": [{"file": str(random_disk(tmp_path / "ten.raw", 2048))}],
                                "nics": [{"network": "VM Network", "mac": "00:50:56:0e:01:01"}]}])
    text = (ROOT / "docs/first-migration.md").read_text(encoding="utf-8")
    script = text.split("## Ten minutes")[1].split("```sh\n")[1].split("```")[0]
    for printed, ours in (("https://vcenter.example/sdk", vcenter.url), ("AA:BB:...", vcenter.sha1), ("administrator@vsphere.local", vcenter.user),
                          ("--type vsphere", "--type vsphere --password-file -"), ("web1", "ten"), ("plan web", "plan ten --skip-guest-conversion"),
                          ("preflight web", "preflight ten"), ("start web", "start ten"), ("name~web", "name~ten")):
        assert printed in script, printed
        script = script.replace(printed, ours)
    lines = [line for line in script.splitlines() if not line.startswith(("gantry up", "export KUBECONFIG", "gantry doctor"))]
    assert len(lines) == 6
    program = "set -e\ngantry() { \"$GANTRY\" \"$@\"; }\n" + "\n".join(f"echo '$ {line.split()[1]}'\n{line}" for line in lines)
    environment = {**os.environ, "GANTRY": str(gantry), "KUBECONFIG": str(module_cluster.data / "kubeconfig"), "LC_ALL": "C.UTF-8"}
    told = subprocess.run(["bash", "-c", program], env=environment, input=vcenter.password + "\n", text=True, capture_output=True,
                          timeout=waiting.LONG, check=False)
    for words in (("archive", "ten"), ("delete", "plan", "ten"), ("delete", "mapping", "ten"), ("delete", "provider", "vcenter")):
        subprocess.run([gantry, *words], env=environment, check=told.returncode == 0, capture_output=True, timeout=waiting.LONG)
    assert told.returncode == 0, told.stdout + told.stderr
    shown = dict(part.split("\n", 1) for part in told.stdout.split("$ ")[1:])
    assert "provider.forklift.konveyor.io/vcenter is Ready" in shown["wait"] and shown["get"].splitlines()[1].startswith("ten ")
    assert shown["preflight"].endswith("ten is ready\n") and "read back from the target: equal" in shown["start"]


def examples(page, heading):
    """The lines of the first block of commands below a heading of docs/."""
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    return text.split(f"\n{heading}\n")[1].split("```sh\n")[1].split("```")[0].splitlines()


def test_the_steps_of_the_command_lines_page_go_as_they_are_printed(gantry, module_cluster, kubectl, new_vcenter, random_disk, tmp_path):
    """docs/command-line.md, in its order, with the address of a simulator and VMs that hold no system; what is for warm plans and for the
    middle of a run is said of other plans below."""
    disk = str(random_disk(tmp_path / "web.raw", 2048))
    vcenter = new_vcenter(vms=[{"name": f"web{number}", "powerOn": number == 1, "hostName": f"web{number}", "memoryMB": 64, "disks": [{"file": disk}],
                                "nics": [{"network": "VM Network", "mac": f"00:50:56:0e:02:0{number}"}]} for number in (1, 2)])
    secret = tmp_path / "password"
    secret.write_text(vcenter.password + "\n")
    lines = examples("command-line.md", "## Step by step") + [
        line for line in examples("command-line.md", "## While it runs, and after") if not re.match(r"gantry (cutover|cancel|restart)", line)]
    script = "\n".join(lines)
    for printed, ours in (("https://vcenter.example/sdk", vcenter.url), ("AA:BB:...", vcenter.sha1), ("administrator@vsphere.local", vcenter.user),
                          ("--password-file FILE", f"--password-file {secret}"), ("namespace web\n", "namespace web --skip-guest-conversion\n")):
        assert printed in script, printed
        script = script.replace(printed, ours)
    lines = [line for line in script.splitlines() if not line.startswith("gantry doctor")]  # it looks at this machine too
    assert lines.pop().startswith("gantry leftovers")
    lines.append("until gantry leftovers; do sleep 0.5; done")  # what the plan archived just now has kept is being taken away
    program = "set -e\ngantry() { \"$GANTRY\" \"$@\"; }\n" + "\n".join(f"echo '$ {' '.join(line.split()[1:3])}'\n{line}" for line in lines)
    environment = {**os.environ, "GANTRY": str(gantry), "KUBECONFIG": str(module_cluster.data / "kubeconfig"), "LC_ALL": "C.UTF-8"}
    kubectl("create", "namespace", "web")
    told = subprocess.run(["bash", "-c", program], env=environment, text=True, capture_output=True, timeout=waiting.LONG, check=False)
    for words in (("archive", "web"), ("delete", "plan", "web"), ("delete", "mapping", "web"), ("delete", "provider", "vcenter")):
        subprocess.run([gantry, *words], env=environment, check=False, capture_output=True, timeout=waiting.LONG)
    kubectl("delete", "namespace", "web", "--wait=false")
    kubectl("delete", "configmap", "-n", "openshift-mtv", "-l", "gantry.io/journal=source")  # as docs/operating.md says it
    assert told.returncode == 0, told.stdout + told.stderr
    shown = {part.split("\n", 1)[0]: part.split("\n", 1)[1] for part in told.stdout.split("$ ")[1:]}
    assert "web1" in shown["get vm"] and "web2" not in shown["get vm"]
    assert shown["preflight web"].endswith("web is ready\n") and "read back from the target: equal" in shown["start web"]
    assert [vm["name"] for vm in json.loads(shown["report web"])["vms"]] == ["web1", "web2"] and "guest asked to shut down" in shown["audit web"]


# ---- what is there --------------------------------------------------------------------------------------------------


def test_the_password_goes_into_a_secret_and_nowhere_else(run, provider, vcenter, kubectl, cluster):
    cluster.allow("its certificate does not verify")
    shown = run("create", "provider", "again", "--type", "vsphere", "--url", vcenter.url, "--user", "u", "--password-file", "-", "--dry-run",
                stdin="very secret\n")
    assert "very secret" not in shown and "<password>" in shown
    run("create", "provider", "again", "--type", "vsphere", "--url", vcenter.url, "--user", "u", "--password-file", "-", stdin="wrong\n")
    kubectl.condition("provider", "again", "ConnectionTestFailed")
    late = run("wait", "provider", "again", "-t", 0, code=3)
    assert "is not Ready after 0 s: ConnectionTestFailed: " in late and "fingerprint SHA-256" in late
    run("delete", "provider", "again")
    assert kubectl.get("secret", "again") is None and kubectl.get("secret", "vc"), "it went with its provider"
    assert [one["kind"] for one in yaml.safe_load(shown)["items"]] == ["Secret", "Provider"]
    assert kubectl.get("secret", "vc")["data"]["password"] and kubectl.get("provider", "again") is None


def test_each_output_format(run, provider):
    table = rows(run("get", "provider"))
    assert table[0] == ["NAME", "TYPE", "STATUS", "CONNECTED", "INVENTORY", "READY", "URL"]
    assert ["vc", "vsphere", "Ready", "True", "True", "True"] in [row[:6] for row in table]
    assert "AGE" in rows(run("get", "provider", "-o", "wide"))[0]
    assert json.loads(run("get", "provider", "vc", "-o", "json"))["metadata"]["name"] == "vc"
    assert yaml.safe_load(run("get", "providers", "-o", "yaml"))["kind"] == "List"
    assert run("get", "provider", "vc", "-o", "name") == "provider.forklift.konveyor.io/vc\n"
    assert "--output xml: it must be table" in run("get", "provider", "-o", "xml", code=2)


def test_the_inventory_is_filtered_sorted_and_paged_by_the_server(run, provider):
    names = [row[0] for row in rows(run("get", "vm", "-p", "vc", "-q", "where name~web,-memoryMB"))[1:]]
    assert names == ["web2", "web1"]
    assert [row[0] for row in rows(run("get", "vm", "-p", "vc", "-q", "-memoryMB", "--limit", 1, "--offset", 1))[1:]] == ["web2"]
    one = yaml.safe_load(run("get", "vm", "Data Base", "-o", "yaml"))
    assert one["memoryMB"] == 384
    assert run("get", "vm", one["id"], "-o", "name").strip() == one["id"]
    assert "memoryMB>" in run("get", "vm", "-q", "memoryMB>many", code=2)
    assert rows(run("get", "network"))[1][0] and rows(run("get", "datastore"))[1][0]


# ---- the whole way --------------------------------------------------------------------------------------------------


def test_a_plan_is_made_shown_checked_run_and_reported(run, provider, kubectl):
    dry = yaml.safe_load(run("create", "plan", "web", "-q", "name~web", "--skip-guest-conversion", "--dry-run"))
    assert [one["kind"] for one in dry["items"]] == ["NetworkMap", "StorageMap", "Plan"]
    assert [vm["name"] for vm in dry["items"][2]["spec"]["vms"]] == ["web1", "web2"]
    assert kubectl.get("plan", "web") is None

    made = run("create", "plan", "web", "--vms", "web1,web2", "--skip-guest-conversion")
    assert ["network", "VM Network", "the pod network"] in rows(made) and "plan.forklift.konveyor.io/web created" in made
    run("patch", "plan", "web", "--set", "spec.targetPowerState=off")
    assert run("preflight", "web").endswith("web is ready\n")
    assert "no VM has been migrated here yet" in run("estimate", "web", code=2)
    assert run("estimate", "web", "--rate", 1).startswith("2 VMs, 2.0 MiB: about 1s, at 1.0 MB/s and VM.")
    shown = run("start", "web", "-w")
    assert "Verification report" in shown and shown.count("read back from the target: equal") == 2
    assert run("report", "web").count("xxh3-128:") == 2
    assert json.loads(run("estimate", "web", "-o", "json"))["measured"] == 2
    assert json.loads(run("report", "web", "-o", "json"))["vms"][0]["name"] == "web1"
    plan = dict(zip(*[rows(run("get", "plan", "web"))[i] for i in (0, 1)]))
    assert (plan["STATUS"], plan["COPIED"], plan["VMS"]) == ("Succeeded", "100 %", "2")
    assert "web1 in plan openshift-mtv/web (Succeeded)" in run("why", "web1")
    assert "Virtual machines:" in run("describe", "plan", "web")
    assert {row[2:4][-1] for row in rows(run("audit", "web"))[1:]} == {"guest asked to shut down"}
    assert "nothing left to migrate" in run("start", "web", code=2)
    assert "Ended" in run("wait", "plan", "web", "--for", "Ended")
    run("archive", "web")
    assert condition_of(waiting.until("Archived", lambda: (lambda p: p if condition_of(p, "Archived") else None)(kubectl.get("plan", "web"))), "Archived")
    run("delete", "plan", "web")
    assert kubectl.get("plan", "web") is None and kubectl.get("virtualmachine", "web1", namespace="default")
    waiting.until("nothing left", lambda: run_quietly(run, "leftovers"))
    kept = [json.loads(line) for line in run("audit", "web", "--vm", "web1", "-o", "json").splitlines()]
    assert [(one["change"], one["name"], one["plan"], one["provider"]) for one in kept] == [("guest asked to shut down", "web1", "openshift-mtv/web", "vc")]
    assert kept[0]["by"].startswith("forklift-controller-") and "Nothing was changed" in run("audit", "never")


def run_quietly(run, *words):
    try:
        return run(*words)
    except AssertionError:
        return None


def test_vms_from_a_table(run, provider, kubectl, tmp_path):
    table = tmp_path / "vms.csv"
    table.write_text("name,targetName\nData Base,sql\n", encoding="utf-8")
    run("create", "plan", "table", "--file", table, "--skip-guest-conversion")
    assert kubectl.get("plan", "table")["spec"]["vms"][0]["targetName"] == "sql"
    table.write_text('name,targetName\n"Data Base,sql\n', encoding="utf-8")
    assert "line 2, column 1: the quotation mark is not closed" in run("create", "plan", "wrong", "--file", table, code=2)
    assert "no VM is like that" in run("create", "plan", "none", "-q", "name~nobody", code=2)
    assert "'nobody'" in run("create", "plan", "none", "--vms", "nobody", code=1)
    assert kubectl.get("plan", "none") is None and kubectl.get("networkmap", "none") is None
    assert "plan table is not warm" in run("cutover", "table", code=2)
    assert "is not being migrated" in run("cancel", "table", code=1)
    assert "has never run" in run("restart", "table", code=2)
    run("preflight", "table")
    assert "Nothing stands in its way" in run("why", "Data Base")
    run("patch", "plan", "table", "--set", "spec.targetNamespace=elsewhere")
    assert kubectl.get("plan", "table")["spec"]["targetNamespace"] == "elsewhere"


def test_a_cutover_is_set_changed_and_called_off(run, provider, kubectl):
    """The plan cannot run (the peer tracks no changes here), its Migration waits: what is looked at is what the verb says to the API."""
    run("create", "plan", "warm", "--vms", "Data Base", "--warm", "--network-map", "table", "--storage-map", "table")
    kubectl.apply({"apiVersion": "forklift.konveyor.io/v1beta1", "kind": "Migration", "metadata": {"name": "warm-1", "namespace": "openshift-mtv"},
                   "spec": {"plan": {"name": "warm", "namespace": "openshift-mtv"}}})
    run("cutover", "warm", "--at", "2030-12-01T22:00:00+01:00")
    assert kubectl.get("migration", "warm-1")["spec"]["cutover"] == "2030-12-01T22:00:00+01:00"
    run("cutover", "warm", "--vms", "Data Base", "--at", "+90m")
    assert len(kubectl.get("migration", "warm-1")["spec"]["vmCutover"]) == 1
    run("cutover", "warm", "--at", "none")
    assert not kubectl.get("migration", "warm-1")["spec"].get("cutover")
    assert "it must be now, none, +90m" in run("cutover", "warm", "--at", "tomorrow", code=2)
    run("cancel", "warm", "--vms", "Data Base")
    assert kubectl.get("migration", "warm-1")["spec"]["cancel"][0]["name"] == "Data Base"
    run("delete", "migration", "warm-1")
    run("delete", "plan", "warm")


def test_hooks_hosts_and_mappings(run, provider, kubectl, tmp_path):
    playbook = tmp_path / "notify.yml"
    playbook.write_text("- hosts: localhost\n  tasks: []\n", encoding="utf-8")
    run("create", "hook", "notify", "--playbook", playbook, "--deadline", 60)
    run("wait", "hook", "notify", "-t", 60)
    assert dict(zip(*rows(run("get", "hook"))))["PLAYBOOK"] == "yes"
    run("create", "mapping", "mine", "--network", "VM Network=ignored", "--storage", "datastore1=standard")
    assert {row[1] for row in rows(run("get", "mapping"))[1:] if row[0] == "mine"} == {"networkmap", "storagemap"}
    host = json.loads(run("create", "host", "esx", "--host-id", "host-1", "--ip", "127.0.0.1", "--dry-run", "-o", "json"))
    assert host["spec"] == {"provider": {"name": "vc", "namespace": "openshift-mtv"}, "id": "host-1", "ipAddress": "127.0.0.1"}
    run("delete", "mapping", "mine")
    assert not [row for row in rows(run("get", "mapping"))[1:] if row[0] == "mine"]
    run("delete", "hook", "notify")


def test_one_line_moves_a_vm(run, provider, vcenter, kubectl):
    """The Provider of that URL is there, so it is used; nobody is asked for a password."""
    shown = run("migrate", "--from", vcenter.url, "--vm", "Data Base", "--skip-guest-conversion")
    assert "plan.forklift.konveyor.io/data-base created" in shown and "read back from the target: equal" in shown
    assert kubectl.get("virtualmachine", "database", namespace="default")


def test_doctor_looks_at_the_cluster(run, provider):
    shown = run("doctor", "--cluster")
    assert re.search(r"^ok +provider vc +ready", shown, re.M) and re.search(r"^ok +forklift-controller +1 of 1 ready", shown, re.M)


def test_a_running_service_says_what_it_does_and_changes_its_log_level(run, provider, kubectl):
    """From within its container, as an operator of a cluster asks it; the socket is the container's own."""
    def ask(container, *words):
        return kubectl("exec", "-n", "openshift-mtv", "deploy/forklift-controller", "-c", container, "--", "gantry", "debug", *words)

    queues = ask("main", "queues")
    assert re.match(r"controller-\d+:\n", queues) and re.search(r"^queue plan: \d+ ready, \d+ running, \d+ waiting, \d+ threads$", queues, re.M)
    assert re.search(r"^informer plans: \d+ objects, (synced|stale)$", ask("main", "informers"), re.M)
    assert re.search(r"^VmRSS: \d+ kB$", ask("main", "memory"), re.M)
    assert "session with vsphere https://127.0.0.1:" in ask("inventory", "sessions")
    assert ask("inventory", "level", 3).endswith(":\nlevel 3\n") and ask("inventory", "level", 2).endswith(":\nlevel 2\n")

    def set_up(**spec):
        kubectl("patch", "forkliftcontroller", "forklift-controller", "-n", "openshift-mtv", "--type=merge", "-p", json.dumps({"spec": spec}))

    ask("main", "level", 3)
    set_up(controller_no_such_setting=1)
    kubectl.condition("forkliftcontroller", "forklift-controller", "SettingUnknown")
    assert ask("main", "level").endswith(":\nlevel 3\n"), "what is set by hand lasts while other settings change"
    set_up(controller_no_such_setting=None, controller_log_level=1)
    waiting.until("the level of the settings", lambda: ask("main", "level").endswith(":\nlevel 1\n"))
    set_up(controller_log_level=None)
    waiting.until("the level without a setting", lambda: ask("main", "level").endswith(":\nlevel 2\n"))
    assert "it must be queues" in run("debug", "passwords", code=2) and "level 7: it must be" in run("debug", "level", 7, code=2)


# ---- no ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("words, code, said", [
    (("get",), 2, "it takes KIND and names"),
    (("get", "plans", "nothing"), 1, "nothing"),
    (("get", "thing"), 2, "there is no kind 'thing'; there are provider"),
    (("get", "folder", "-p", "host"), 2, "a provider of type openshift has no folders"),
    (("delete", "vm", "web1"), 2, "there is no kind 'vm'"),
    (("get", "plan", "--colour"), 2, "Unknown option --colour; see gantry get --help"),
    (("patch", "provider", "vc"), 2, "--patch or --set is missing"),
    (("patch", "provider", "vc", "--set", "spec"), 2, "it must be FIELD=VALUE"),
    (("patch", "provider", "vc", "-p", "{spec: ["), 1, "--patch: line 2"),
    (("create", "tree", "x"), 2, "it cannot make 'tree'"),
    (("create", "mapping", "x", "--network", "nowhere"), 2, "--network nowhere: it must be two texts with = between"),
    (("create", "plan", "x", "--vms", "a", "--query", "b"), 2, "one of --vms, --file and --query"),
    (("create", "provider", "x", "--type", "xen", "--url", "https://x"), 2, "it must be vsphere, ovirt or openshift"),
    (("wait", "provider", "vc", "--for", "Never", "-t", 0), 3, "is not Never after 0 s"),
    (("why", "nobody"), 1, "no plan has a VM 'nobody'"),
    (("completion", "tcsh"), 2, "there is for bash, zsh and fish"),
    (("migrate", "--from", "ftp://x", "--vm", "a"), 2, "it must be https://HOST/sdk"),
])
def test_a_wrong_word_gets_one_line(run, provider, words, code, said):
    text = run(*words, code=code)
    assert said in text and text.count("\n") == 1


def test_no_connection_and_no_right(run, provider, module_cluster, tmp_path):
    config = yaml.safe_load((module_cluster.data / "kubeconfig").read_text())
    config["clusters"][0]["cluster"]["server"] = "https://127.0.0.1:1"
    away = tmp_path / "away"
    away.write_text(yaml.safe_dump(config), encoding="utf-8")
    assert "127.0.0.1:1" in run("get", "plan", code=1, kubeconfig=away)
    config["clusters"][0]["cluster"]["server"] = f"https://127.0.0.1:{module_cluster.port}"
    config["users"][0]["user"] = {"token": "worn out"}
    away.write_text(yaml.safe_dump(config), encoding="utf-8")
    text = run("get", "plan", code=1, kubeconfig=away)
    assert "it may have expired" in text and "worn out" not in text
    assert 'contexts: there is none called "other"' in run("get", "plan", "--context", "other", code=1)
    here = config["contexts"][0]["name"]
    config["contexts"] += [{"name": "there", "context": {**config["contexts"][0]["context"], "user": "nobody"}}]
    config["current-context"], config["users"][0]["user"] = "there", yaml.safe_load((module_cluster.data / "kubeconfig").read_text())["users"][0]["user"]
    away.write_text(yaml.safe_dump(config), encoding="utf-8")
    assert 'there is none called "nobody"' in run("get", "plan", code=1, kubeconfig=away)
    run("get", "plan", "--context", here, kubeconfig=away)
    assert "KUBECONFIG" in run("get", "plan", code=1, kubeconfig=tmp_path / "absent")


def test_completion_and_manual_know_every_verb_and_option(run, gantry):
    listed = run("--help").split("Services and programs")[0]
    verbs = [line.split()[0] for line in listed.splitlines() if line.startswith("  ")]
    manual, bash = run("manual"), run("completion", "bash")
    assert len(verbs) > 15
    for verb in verbs:
        assert f".SS gantry {verb}" in manual and f"{verb}) words=" in bash
        for option in set(re.findall(r"--([a-z-]+)", run(verb, "--help").split("Options:")[-1].split("\n\n")[0])) - {"help"}:
            assert f"--{option}" in bash
    subprocess.run(["bash", "-n"], input=bash, text=True, check=True)
    assert "complete -c gantry" in run("completion", "fish") and "bashcompinit" in run("completion", "zsh")
