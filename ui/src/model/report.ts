// What a plan's last migration proved, disk by disk: to be read, and to be kept as a table or a document.
import { failureOf, downtime } from './vm_state';
import type { Task, VmRow } from './types';

export interface ReportDisk {
  name: string;
  bytes: number;
  hash?: string;
  readBack?: string; // "equal": read from the target again, and the same
}

export interface ReportVm {
  id: string;
  name: string;
  result: 'Succeeded' | 'Failed' | 'Canceled' | 'NotDone';
  verified: boolean; // every disk was read back and is equal
  started?: string;
  completed?: string;
  downtimeSeconds?: number;
  disks: ReportDisk[];
  errors: string[];
}

export interface PlanStatusVms {
  status?: { migration?: { vms?: VmRow[] } };
}

const mebibyte = 1024 * 1024;

const result = (vm: VmRow): ReportVm['result'] => {
  const has = (type: string) => vm.conditions?.some((c) => c.type === type && c.status === 'True');
  if (has('Canceled')) return 'Canceled';
  if (has('Failed') || vm.error) return 'Failed';
  return has('Succeeded') ? 'Succeeded' : 'NotDone';
};

// A warm VM's disk has a task in each step that copied of it: the last one that ended with a hash is what counts.
function disksOf(vm: VmRow): ReportDisk[] {
  const tasks = new Map<string, Task>();
  for (const step of vm.pipeline ?? [])
    if (['DiskTransfer', 'DiskTransferV2v', 'Cutover'].includes(step.name))
      for (const task of step.tasks ?? []) if (!tasks.has(task.name) || task.annotations?.hash) tasks.set(task.name, task);
  return [...tasks.values()].map((task) => ({
    name: task.name,
    bytes: Number(task.annotations?.bytesTotal ?? task.annotations?.bytes ?? (task.progress?.total ?? 0) * mebibyte),
    hash: task.annotations?.hash,
    readBack: task.annotations?.readBack,
  }));
}

export function planReport(plan: PlanStatusVms): ReportVm[] {
  return (plan.status?.migration?.vms ?? []).map((vm) => {
    const disks = disksOf(vm);
    return {
      id: vm.id ?? '',
      name: vm.name ?? vm.id ?? '',
      result: result(vm),
      verified: disks.length > 0 && disks.every((disk) => disk.readBack === 'equal'),
      started: vm.started,
      completed: vm.completed,
      downtimeSeconds: downtime(vm),
      disks,
      errors: failureOf(vm),
    };
  });
}

const columns = ['vm', 'id', 'result', 'started', 'completed', 'downtimeSeconds', 'disk', 'bytes', 'hash', 'readBack', 'error'];

// A cell that begins like a formula would be run by spreadsheets.
function cell(value: string | number | undefined): string {
  const text = String(value ?? '');
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replace(/"/g, '""')}"` : safe;
}

export function reportCsv(report: ReportVm[]): string {
  const lines = report.flatMap((vm) => {
    const disks: Partial<ReportDisk>[] = vm.disks.length ? vm.disks : [{}];
    return disks.map((disk) =>
      [vm.name, vm.id, vm.result, vm.started, vm.completed, vm.downtimeSeconds, disk.name, disk.bytes, disk.hash, disk.readBack, vm.errors.join(' / ')].map(cell).join(','),
    );
  });
  return [columns.join(','), ...lines, ''].join('\r\n');
}
