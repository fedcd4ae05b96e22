import { describe, expect, it } from 'vitest';
import type { VmRow } from './types';
import { currentStep, diskName, failureOf, stepState, vmBytes, vmState } from './vm_state';

const MiB = 1024 * 1024;
const pipeline = (copying: boolean): VmRow['pipeline'] => [
  { name: 'Initialize', phase: 'Completed', started: 'a', completed: 'b', progress: { completed: 1, total: 1 } },
  {
    name: 'DiskTransfer',
    started: copying ? 'a' : undefined,
    progress: { completed: 30, total: 100 },
    tasks: [
      { name: '[ds] dir/a.vmdk', progress: { completed: 20, total: 60 } },
      { name: '[ds] dir/b.vmdk', progress: { completed: 10, total: 40 } },
    ],
  },
  { name: 'ImageConversion', progress: { completed: 0, total: 1 } },
];
const has = (type: string) => [{ type, status: 'True' }];

describe('the state of a VM', () => {
  it.each([
    ['not started', {}, false, false, 'NotStarted'],
    ['queued before it has a pipeline', {}, true, false, 'Queued'],
    ['queued behind others', { pipeline: pipeline(false) }, true, false, 'Queued'],
    ['running', { pipeline: pipeline(true), started: 'a' }, true, false, 'Running'],
    ['copying warm', { pipeline: pipeline(true), started: 'a' }, true, true, 'Copying'],
    ['waiting for the cutover', { pipeline: pipeline(true), started: 'a', phase: 'CopyingPaused' }, true, true, 'WaitingCutover'],
    ['migrated', { pipeline: pipeline(true), conditions: has('Succeeded') }, true, false, 'Succeeded'],
    ['failed', { pipeline: pipeline(true), error: { reasons: ['x'] } }, true, false, 'Failed'],
    ['canceled wins', { conditions: [...has('Canceled'), ...has('Failed')] }, true, false, 'Canceled'],
  ] as [string, VmRow, boolean, boolean, string][])('%s', (_name, vm, started, warm, state) => {
    expect(vmState(vm, started, warm)).toBe(state);
  });
});

describe('the pipeline', () => {
  const vm: VmRow = { pipeline: pipeline(true), started: 'a' };
  it('knows its current step', () => expect(currentStep(vm)?.name).toBe('DiskTransfer'));
  it('sums bytes of all disks', () => expect(vmBytes(vm)).toEqual({ done: 30 * MiB, total: 100 * MiB }));
  it('takes exact sizes where they are known', () => {
    const exact: VmRow = {
      pipeline: [{ name: 'DiskTransfer', tasks: [{ name: 'a', progress: { completed: 4, total: 4 }, annotations: { bytes: String(3.5 * MiB) } }] }],
    };
    expect(vmBytes(exact).done).toBe(3.5 * MiB);
  });
  it('tells the state of each step', () => {
    expect(vm.pipeline!.map((step) => stepState(step, vm))).toEqual(['done', 'running', 'pending']);
    expect(stepState(vm.pipeline![1]!, { ...vm, conditions: has('Canceled') })).toBe('canceled');
    expect(stepState({ name: 'x', error: { reasons: [] } }, vm)).toBe('failed');
  });
  it('collects each reason once', () => {
    const failed: VmRow = { error: { reasons: ['no space'] }, pipeline: [{ name: 'DiskTransfer', error: { reasons: ['no space', 'more'] } }] };
    expect(failureOf(failed)).toEqual(['no space', 'more']);
  });
  it('shortens names of disks', () => {
    expect(diskName('[ds1] dir/sub/disk.vmdk')).toBe('[ds1] disk.vmdk');
    expect(diskName('8a1b')).toBe('8a1b');
  });
});
