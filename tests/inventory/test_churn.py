"""An hour of a vCenter's life, compressed: after renames, power changes, snapshots, disks, new, moved and deleted VMs, lost sessions and
restarts the inventory equals a fresh one, and holds no more memory than it did after the second round.

$GANTRY_SOAK_SECONDS says how long (45), $GANTRY_SOAK_SEED what happens.
"""
import os
import time

import pytest

from harness import waiting
from harness.churn import Churn
from harness.vcenter import Vcenter
from harness.vsphere import Administrator

SECONDS = float(os.environ.get("GANTRY_SOAK_SECONDS", "45"))
SEED = int(os.environ.get("GANTRY_SOAK_SEED", "20261123"))
STEPS = 40  # of a round
FEWEST_ROUNDS = 4


class Home:
    """A vCenter that may be restarted where it was, and the one who changes it."""

    def __init__(self, directory, disk):
        self.directory, self.restarts, self.listen = directory, 0, "127.0.0.1:0"
        self.config = {"vms": [{"name": f"still {i}", "disks": [{"file": disk}]} for i in range(20)]}
        self.start()

    def start(self):
        self.vcenter = Vcenter(self.directory / f"start-{self.restarts}", dict(self.config), self.listen)
        self.listen = self.vcenter.url.split("/")[2]
        self.churn = Churn(Administrator(self.vcenter), next(iter(self.vcenter.vms.values()))["id"], SEED + self.restarts)

    def restart(self):
        """It comes back as it was at first: all that happened since is undone."""
        self.crash()
        self.restarts += 1
        self.start()

    def crash(self):
        self.vcenter.process.kill()
        self.vcenter.process.wait()
        self.vcenter.stop()

    def lose_sessions(self):
        self.vcenter.fault("expire-sessions")
        self.churn.administrator.log_in()


@pytest.fixture
def home(tmp_path, random_disk):
    home = Home(tmp_path, str(random_disk(tmp_path / "disk.raw", 2048)))
    yield home
    home.crash()


def followed(inventory, home):
    """The inventory has seen the last change: a name that nothing else has."""
    home.churn.administrator.rename(home.churn.made[0], f"mark {time.monotonic_ns()}")
    mark = home.churn.administrator.value("VirtualMachine", home.churn.made[0], "name").replace(" ", "%20")

    def seen():
        status, _, found = inventory.ask(f"{inventory.path('churned')}/vms?name={mark}")
        return status == 200 and len(found) == 1

    waiting.until("last change", seen, waiting.LONG, every=0.1)


def test_an_hour_of_changes_leaves_an_inventory_like_a_fresh_one(bare_inventory, home):
    inventory, resident = bare_inventory, []
    inventory.add("churned", home.vcenter, insecureSkipVerify="true")
    inventory.kubectl.condition("provider", "churned", "Ready")
    end = time.monotonic() + SECONDS
    while len(resident) < FEWEST_ROUNDS or time.monotonic() < end:
        for step in range(STEPS):
            home.churn.step()
            if step == STEPS // 2:
                (home.restart if len(resident) % 3 == 2 else home.lose_sessions)()
        followed(inventory, home)
        resident.append(inventory.resident())
    print(f"seed {SEED}: {len(resident)} rounds of {STEPS}, {home.restarts} restarts, resident MiB: {' '.join(f'{one:.1f}' for one in resident)}")

    inventory.add("fresh", home.vcenter, insecureSkipVerify="true")
    inventory.kubectl.condition("provider", "fresh", "Ready")
    churned, fresh = inventory.everything("churned"), inventory.everything("fresh")
    assert churned.keys() == fresh.keys()
    assert {key: (churned[key], fresh[key]) for key in fresh if churned[key] != fresh[key]} == {}
    assert resident[-1] <= 1.1 * resident[1], resident
