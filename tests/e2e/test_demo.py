"""./demo, as a newcomer without a terminal runs it: the real Debian with its conversion, the tiny guest, cold, warm and out of oVirt."""
import os
import re
import subprocess

import pytest

from harness.vcenter import ROOT

MEBIBYTE = 1 << 20


@pytest.mark.parametrize("options, name, size, macs", [
    (["--tiny"], "tiny", 48 * MEBIBYTE, ["00:50:56:7a:11:01", "00:50:56:7a:11:02"]),
    (["--warm"], "tiny", 48 * MEBIBYTE, ["00:50:56:7a:11:01", "00:50:56:7a:11:02"]),
    (["--ovirt"], "tiny", 48 * MEBIBYTE, ["56:6f:7a:11:00:01"]),
    ([], "debian", 828 * MEBIBYTE, ["00:50:56:1d:eb:01", "00:50:56:1d:eb:02"]),
], ids=["tiny", "warm", "ovirt", "debian"])
def test_the_demo_moves_a_vm(gantry, options, name, size, macs):
    result = subprocess.run([ROOT / "demo", *options], env={**os.environ, "GANTRY_BINARY": str(gantry)}, stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=1100, check=False)
    print(result.stdout)
    assert result.returncode == 0
    assert result.stdout.splitlines()[-1] == f"demo: VM {name} runs from its migrated disks ({size} bytes verified)"
    said = result.stdout.split("serial console")[1]
    assert re.findall(r"NIC \S+ (\S+)", said) == macs and re.search(r"SHA256 \w+ [0-9a-f]{64}", said)
    assert "read back from the target: equal" in result.stdout
    assert ("the VM was down for" in result.stdout) == (options == ["--warm"])
    assert ("of 2 image transfers none is left at the engine" in result.stdout) == (options == ["--ovirt"])
    assert ("ImageConversion" in result.stdout) == (name == "debian")
    assert ("PreflightInspection" in result.stdout) == (name == "debian")
    assert "\033" not in result.stdout, "no colours and no redrawing without a terminal"


def test_the_demo_says_what_is_wrong_with_its_options():
    result = subprocess.run([ROOT / "demo", "--tiny", "--vcenter", "https://x/sdk"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True, timeout=600, check=False,
                            env={**os.environ, "GANTRY_BINARY": "/bin/true"})
    assert result.returncode == 2 and "--tiny, --warm, --ovirt and --vcenter exclude each other" in result.stderr
