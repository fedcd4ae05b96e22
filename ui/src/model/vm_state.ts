// Where one VM of a running plan is: its state, its current step, and how many bytes of its disks are done.
import type { Step, Task, VmRow } from './types';

export type VmState = 'NotStarted' | 'Queued' | 'Running' | 'Copying' | 'WaitingCutover' | 'Succeeded' | 'Failed' | 'Canceled';

const has = (vm: VmRow, type: string): boolean => !!vm.conditions?.some((c) => c.type === type && c.status === 'True');

export const disk_steps = ['DiskTransfer', 'DiskTransferV2v', 'DiskAllocation', 'Cutover'];

export const stepStarted = (step: Task): boolean => !!step.started || !!step.error;

// The last step that has begun, or that failed.
export function currentStep(vm: VmRow): Step | undefined {
  return [...(vm.pipeline ?? [])].reverse().find(stepStarted);
}

export function vmState(vm: VmRow, planStarted: boolean, warm: boolean): VmState {
  if (has(vm, 'Canceled')) return 'Canceled';
  if (has(vm, 'Failed') || vm.error) return 'Failed';
  if (has(vm, 'Succeeded')) return 'Succeeded';
  if (!planStarted || !vm.pipeline?.length) return planStarted ? 'Queued' : 'NotStarted';
  if (!vm.started) return 'Queued';
  if (!warm) return 'Running';
  if (vm.phase === 'CopyingPaused') return 'WaitingCutover';
  const later = vm.pipeline.some((step) => step.name !== 'Initialize' && step.name !== 'PreHook' && step.name !== 'DiskTransfer' && stepStarted(step));
  return later ? 'Running' : 'Copying';
}

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
