"""Statuses of plans as the controllers write them, short enough to read in a test."""
import time

from . import manifests

STEPS = ("Initialize", "DiskTransfer", "ImageConversion", "VirtualMachineCreation")


def timestamp(ago=0):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - ago))


def condition(kind, category="Advisory", message=None, **more):
    return {"type": kind, "status": "True", "category": category, "message": message or f"It is {kind}.",
            "lastTransitionTime": timestamp(), **more}


READY = condition("Ready", "Required", "The plan is ready.")
EXECUTING = condition("Executing", message="The plan is EXECUTING.")


def plan(name, *vms, **more):
    return manifests.plan(name, "vcenter", [{"id": vm} for vm in vms], **more)


def vm(name, step, done=0, total=1024, disks=1, ended=None, reason=None):
    """A VM at step (an index of STEPS, len(STEPS): past all, -1: not begun), done of total MiB of each disk copied."""
    pipeline = [_step(name, at, step, done, total, disks) for at in range(len(STEPS))]
    row = {"id": name, "name": name.replace("vm-", "web-"), "phase": "CopyDisks", "pipeline": pipeline}
    if step >= 0:
        row["started"] = timestamp(60)
    if ended:
        row.update(completed=timestamp(), phase="Completed", conditions=[condition(ended)])
    if reason:
        row["error"] = pipeline[step]["error"] = {"phase": STEPS[step], "reasons": [reason]}
    return row


def _step(vm_name, at, current, done, total, disks):
    step = {"name": STEPS[at], "description": STEPS[at], "progress": {"completed": 0, "total": 1}}
    if at < current:
        step.update(phase="Completed", started=timestamp(60), completed=timestamp(30), progress={"completed": 1, "total": 1})
    elif at == current:
        step.update(phase="Running", started=timestamp(30))
    if STEPS[at] == "DiskTransfer":
        copied = total if at < current else done if at == current else 0
        step["annotations"] = {"unit": "MB"}
        step["progress"] = {"completed": copied * disks, "total": total * disks}
        step["tasks"] = [{"name": f"[ds] {vm_name}/disk-{n}.vmdk", "annotations": {"unit": "MB"}, "phase": "Running",
                          "started": timestamp(30), "progress": {"completed": copied, "total": total}} for n in range(disks)]
    return step


def status(migration, *vms, conditions=(READY, EXECUTING), completed=None):
    """migration: the Migration's object, or None for a plan that has not begun."""
    if migration is None:
        return {"conditions": list(conditions)}
    reference = {key: migration["metadata"][key] for key in ("name", "namespace", "uid")}
    run = {"started": timestamp(60), "history": [{"conditions": [], "migration": reference}], "vms": list(vms)}
    if completed:
        run["completed"] = completed
    return {"conditions": list(conditions), "migration": run}
