import { describe, expect, it } from 'vitest';
import { newestRecord, ofPlan, ofVm, type GatherRecord } from './gather';

const record = (id: number, name: string, at: string): GatherRecord => ({ id, 'custom-name': name, 'created-at': at, status: 'completed' });

describe('gatherings', () => {
  it('are asked for as the must-gather API wants it', () => {
    expect(ofPlan('shop').command).toBe('PLAN=shop /usr/bin/targeted');
    expect(ofVm('vm-7')).toEqual({ name: 'vm:vm-7', command: 'VM=vm-7 /usr/bin/targeted' });
  });
  it('are found by name, the newest first, and not those of an older object of the name', () => {
    const all = [record(3, 'plan:a', '2026-01-03T00:00:00Z'), record(4, 'plan:b', '2026-01-04T00:00:00Z'), record(1, 'plan:a', '2026-01-01T00:00:00Z')];
    expect(newestRecord(all, 'plan:a', '2026-01-01T00:00:00Z')?.id).toBe(3);
    expect(newestRecord(all, 'plan:a', '2026-01-04T00:00:00Z')).toBeUndefined();
    expect(newestRecord(undefined, 'plan:a', '2026-01-04T00:00:00Z')).toBeUndefined();
  });
});
