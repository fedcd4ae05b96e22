import { describe, expect, it } from 'vitest';
import type { StorageMap } from './types';
import { complete, mapSpec, prefill, rowsOf, usedRows, withIds } from './mapping';

describe('the rows of a map', () => {
  it('gives the Pod network to one network only', () => {
    expect(prefill('network', ['a', 'b'], [], 'pod')).toEqual([
      { source: 'a', target: 'pod' },
      { source: 'b', target: '' },
    ]);
  });
  it('gives every datastore the default class', () => {
    expect(prefill('storage', ['a', 'b'], [], 'standard').every((row) => row.target === 'standard')).toBe(true);
  });
  it('fills in what was empty while the choices were being fetched', () => {
    const early = prefill('storage', ['a'], [], '');
    expect(prefill('storage', ['a'], early, 'standard')).toEqual([{ source: 'a', target: 'standard' }]);
  });
  it('keeps rows of what is not used for the moment, and does not count them', () => {
    const kept = prefill('network', [], [{ source: 'a', target: 'ns/br0' }], 'pod');
    expect(kept).toEqual([{ source: 'a', target: 'ns/br0' }]);
    expect(usedRows(kept, ['b'])).toEqual([]);
  });
  it('writes each kind of target', () => {
    const rows = [
      { source: 'a', target: 'pod' },
      { source: 'b', target: 'ns/br0' },
      { source: 'c', target: 'ignored' },
    ];
    expect(mapSpec('network', rows).map((row) => row.destination)).toEqual([{ type: 'pod' }, { type: 'multus', namespace: 'ns', name: 'br0' }, { type: 'ignored' }]);
  });
  it('is complete when every row has both sides', () => {
    expect(complete([{ source: 'a', target: '' }])).toBe(false);
    expect(complete([])).toBe(false);
  });
  it('keeps what it does not show of a target, until that is changed', () => {
    const modes = { storageClass: 'fast', volumeMode: 'Block', accessMode: 'ReadWriteMany' };
    const map = { kind: 'StorageMap', spec: { map: [{ source: { name: 'ds' }, destination: modes }] } } as unknown as StorageMap;
    const [row] = withIds(rowsOf(map), [{ value: 'datastore-1', label: 'ds' }]);
    expect(row!.source).toBe('datastore-1');
    expect(mapSpec('storage', [row!])).toEqual([{ source: { id: 'datastore-1' }, destination: modes }]);
    expect(mapSpec('storage', [{ ...row!, target: 'slow' }])[0]!.destination).toEqual({ storageClass: 'slow' });
  });
});
