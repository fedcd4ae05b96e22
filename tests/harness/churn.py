"""Seeded changes in a vCenter, as an hour of its life brings them, quicker."""
import random


class Churn:
    """Changes a vCenter step by step; the seed decides what comes next. Keeps what must survive: at least two VMs."""

    def __init__(self, administrator, vm, seed):
        self.administrator, self.random = administrator, random.Random(seed)
        self.folder = administrator.value("VirtualMachine", vm, "parent")
        self.pool = administrator.value("VirtualMachine", vm, "resourcePool")
        self.hosts = administrator.ids("HostSystem")
        self.made, self.steps = [], 0
        self.on, self.snapshots, self.disks = set(), {}, {}

    def _make(self):
        vm = self.administrator.create(f"churn {self.steps} & <{self.random.randrange(100)}>", self.folder, self.pool)
        self.made.append(vm)
        self.administrator.add_disk(vm, 1)

    def _rename(self, vm):
        self.administrator.rename(vm, f"renamed {self.steps} ü")

    def _power(self, vm):
        self.administrator.power(vm, vm not in self.on)
        self.on ^= {vm}

    def _snapshot(self, vm):
        if self.snapshots.get(vm, 0) >= 3:
            self.administrator.remove_snapshots(vm)
            self.snapshots[vm] = 0
        else:
            self.administrator.snapshot(vm, f"s{self.steps}")
            self.snapshots[vm] = self.snapshots.get(vm, 0) + 1

    def _add_disk(self, vm):
        if self.disks.get(vm, 0) < 4:
            self.administrator.add_disk(vm, 1)
            self.disks[vm] = self.disks.get(vm, 0) + 1

    def _move(self, vm):
        self.administrator.move(vm, self.random.choice(self.hosts))

    def _delete(self, vm):
        if vm in self.on:
            self._power(vm)
        self.administrator.delete(vm)
        self.made.remove(vm)

    def step(self):
        self.steps += 1
        if len(self.made) < 2 or (len(self.made) < 12 and self.random.random() < 0.2):
            self._make()
            return
        action = self.random.choices([self._rename, self._power, self._snapshot, self._add_disk, self._move, self._delete],
                                     [3, 4, 3, 2, 2, 1])[0]
        action(self.random.choice(self.made))
