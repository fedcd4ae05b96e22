import { describe, expect, it } from 'vitest';
import { planReport, reportCsv } from './report';

const disk = (name: string, annotations: Record<string, string>) => ({ name, progress: { completed: 8, total: 8 }, annotations });
const plan = {
  status: {
    migration: {
      vms: [
        {
          id: 'vm-1',
          name: 'web',
          conditions: [{ type: 'Succeeded', status: 'True' }],
          pipeline: [
            { name: 'DiskTransfer', tasks: [disk('[ds] a.vmdk', { hash: 'xxh3-128:old', readBack: 'equal' })] },
            { name: 'Cutover', tasks: [disk('[ds] a.vmdk', { hash: 'xxh3-128:new', readBack: 'equal', bytes: '8388000' })], annotations: { downtimeSeconds: '12' } },
          ],
        },
        { id: 'vm-2', name: '=cmd("x")', error: { reasons: ['no, space'] }, pipeline: [{ name: 'DiskTransfer', tasks: [disk('b', {})] }] },
        { id: 'vm-3' },
      ],
    },
  },
};

describe('the report', () => {
  const report = planReport(plan);
  it('says what was proved of each VM', () => {
    expect(report.map((vm) => [vm.name, vm.result, vm.verified])).toEqual([
      ['web', 'Succeeded', true],
      ['=cmd("x")', 'Failed', false],
      ['vm-3', 'NotDone', false],
    ]);
    expect(report[0]!.disks).toEqual([{ name: '[ds] a.vmdk', bytes: 8388000, hash: 'xxh3-128:new', readBack: 'equal' }]);
    expect(report[0]!.downtimeSeconds).toBe(12);
  });
  it('is a table that no spreadsheet runs', () => {
    const lines = reportCsv(report).split('\r\n');
    expect(lines[1]).toBe('web,vm-1,Succeeded,,,12,[ds] a.vmdk,8388000,xxh3-128:new,equal,');
    expect(lines[2]).toBe(`"'=cmd(""x"")",vm-2,Failed,,,,b,8388608,,,"no, space"`);
    expect(lines[3]).toBe('vm-3,vm-3,NotDone,,,,,,,,');
  });
  it('is empty for a plan that has not begun', () => expect(planReport({})).toEqual([]));
});
