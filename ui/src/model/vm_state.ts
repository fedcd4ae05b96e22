// Where one VM of a running plan is: its current step, what it waits for, and how many bytes of its disks are done.
import type { Step, Task, VmRow } from './types';

const has = (vm: VmRow, type: string): boolean => !!vm.conditions?.some((c) => c.type === type && c.status === 'True');

const disk_steps = ['DiskTransfer', 'DiskTransferV2v', 'DiskAllocation', 'Cutover'];

const stepStarted = (step: Task): boolean => !!step.started || !!step.error;

// The last step that has begun, or that failed.
export function currentStep(vm: VmRow): Step | undefined {
  return [...(vm.pipeline ?? [])].reverse().find(stepStarted);
}

// What the VM's current step, or a disk of it, says of itself: that it stands still, that it is tried again, what it waits for.
export function remarkOf(vm: VmRow): string | undefined {
  const step = currentStep(vm);
  if (!step || step.completed) return undefined;
  const tasks = (step.tasks ?? []).filter((task) => !task.completed && task.reason);
  return tasks.find((task) => isStalled(task))?.reason ?? step.reason ?? tasks[0]?.reason;
}

const isStalled = (task: Task): boolean => !!task.reason?.startsWith('Stalled');
export const vmStalled = (vm: VmRow): boolean => !!currentStep(vm)?.tasks?.some((task) => !task.completed && isStalled(task));

// How often what is under way has failed in a row; it is tried again.
export const failedTries = (vm: VmRow): number => vm.warm?.consecutiveFailures ?? 0;

const secondsOf = (vm: VmRow, step: string, annotation: string): number | undefined => {
  const text = vm.pipeline?.find((each) => each.name === step)?.annotations?.[annotation];
  return text === undefined || !Number.isFinite(Number(text)) ? undefined : Number(text);
};

// How long the last copy of a warm VM is expected to take, while its source is off; and how long it was off in the end.
export const expectedCutover = (vm: VmRow): number | undefined => secondsOf(vm, 'DiskTransfer', 'expectedCopySeconds');
export const downtime = (vm: VmRow): number | undefined => secondsOf(vm, 'Cutover', 'downtimeSeconds');

const mebibyte = 1024 * 1024;

// Progress in bytes. Steps and tasks that move disks count in mebibytes (annotation unit: MB).
export function bytesOf(task: Task): { done: number; total: number } {
  const exact = Number(task.annotations?.bytes);
  const total = task.progress?.total ?? 0;
  const done = Math.min(task.progress?.completed ?? 0, total);
  if (Number.isFinite(exact) && exact > 0 && done === total) return { done: exact, total: exact };
  return { done: done * mebibyte, total: total * mebibyte };
}

// Tasks of steps that move disks, in the pipeline's order: one per disk.
export function disksOf(vm: VmRow): { step: Step; task: Task }[] {
  return (vm.pipeline ?? [])
    .filter((step) => disk_steps.includes(step.name))
    .flatMap((step) => (step.tasks ?? []).map((task) => ({ step, task })));
}

export function vmBytes(vm: VmRow): { done: number; total: number } {
  const sum = { done: 0, total: 0 };
  for (const { task } of disksOf(vm)) {
    const bytes = bytesOf(task);
    sum.done += bytes.done;
    sum.total += bytes.total;
  }
  return sum;
}

// Why it failed: the reasons of the VM, else those of the step or disk that failed.
export function failureOf(vm: VmRow): string[] {
  const found = [vm.error, ...(vm.pipeline ?? []).flatMap((step) => [step.error, ...(step.tasks ?? []).map((task) => task.error)])];
  return [...new Set(found.flatMap((error) => error?.reasons ?? []))];
}

export type StepState = 'pending' | 'running' | 'done' | 'failed' | 'canceled';

export function stepState(step: Task, vm: VmRow): StepState {
  if (step.error) return 'failed';
  if (step.completed || step.phase === 'Completed') return has(vm, 'Canceled') && step === currentStep(vm) ? 'canceled' : 'done';
  if (!step.started) return 'pending';
  if (has(vm, 'Canceled')) return 'canceled';
  return has(vm, 'Failed') ? 'failed' : 'running';
}

// A disk's name as people know it: "[datastore] dir/disk.vmdk" without its folder.
export function diskName(name: string): string {
  return name.replace(/^\[([^\]]+)\] (?:.*\/)?/, '[$1] ');
}
