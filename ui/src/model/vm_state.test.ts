import { describe, expect, it } from 'vitest';
import type { VmRow } from './types';
import { currentStep, diskName, downtime, expectedCutover, failureOf, remarkOf, stepState, vmBytes } from './vm_state';

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

describe('what a VM says of itself', () => {
  const at = (step: object, more: object = {}): VmRow => ({ pipeline: [{ name: 'DiskTransfer', started: 'a', ...step }], ...more });
  it.each([
    ['nothing before it has begun', { pipeline: pipeline(false) }, undefined],
    ['what its step says', at({ reason: 'Waiting for the Pod' }), 'Waiting for the Pod'],
    ['a disk that stands still first', at({ reason: 'Copying', tasks: [{ name: 'a' }, { name: 'b', reason: 'Stalled: no byte for 4 minutes' }] }), 'Stalled: no byte for 4 minutes'],
    ['what a disk says when the step is silent', at({ tasks: [{ name: 'a', reason: 'Verifying' }] }), 'Verifying'],
    ['nothing of a step that is done', at({ completed: 'b', reason: 'old' }), undefined],
  ] as [string, VmRow, string | undefined][])('%s', (_name, vm, remark) => expect(remarkOf(vm)).toBe(remark));

  it('knows its forecast and its downtime', () => {
    expect(expectedCutover(at({ annotations: { expectedCopySeconds: '42' } }))).toBe(42);
    expect(expectedCutover(at({}))).toBeUndefined();
    expect(downtime({ pipeline: [{ name: 'Cutover', annotations: { downtimeSeconds: '75' } }] })).toBe(75);
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
