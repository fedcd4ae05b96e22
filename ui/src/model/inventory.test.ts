import { describe, expect, it } from 'vitest';
import { texts } from '../texts';
import { cpusOf, inventoryPath, kindsOf, valueAt, type InventoryQuery } from './inventory';

const query = (more: Partial<InventoryQuery> = {}): InventoryQuery => ({ search: '', concern: '', concernText: '', offset: 0, limit: 20, ...more });
const q = (more: Partial<InventoryQuery>) => new URLSearchParams(inventoryPath('vms', query(more)).split('?')[1]).get('q');

describe('the inventory', () => {
  it('asks for a page', () => expect(inventoryPath('vms', query({ offset: 40 }))).toBe('vms?detail=4&total=true&limit=20&offset=40'));
  it.each([
    [{ search: 'web' }, 'name~web'],
    [{ search: ' web, db ' }, 'name~web'],
    [{ concern: 'Critical', sort: { key: 'memoryMB', descending: true } }, 'concerns.category=Critical,-memoryMB'],
    [{ concernText: 'CBT', sort: { key: 'name', descending: false } }, 'concerns.label~CBT,name'],
    [{}, null],
  ] as [Partial<InventoryQuery>, string | null][])('filters and sorts %j', (more, expected) => expect(q(more)).toBe(expected));
  it('has a text for each kind and column', () => {
    const kinds = Object.values(kindsOf).flat();
    expect(kinds.filter(({ collection }) => !texts.inventory.kinds[collection])).toEqual([]);
    expect(kinds.flatMap(({ columns }) => columns).filter(({ key }) => !texts.inventory.columns[key])).toEqual([]);
  });
  it('counts processors as oVirt has them', () => {
    expect(cpusOf({ cpuSockets: 2, cpuCores: 4, cpuThreads: 1 })).toBe(8);
    expect(cpusOf({ cpuSockets: 2 })).toBe(2);
  });
  it('reads what lies deeper', () => {
    expect(valueAt({ object: { metadata: { name: 'a' } } }, 'object.metadata.name')).toBe('a');
    expect(valueAt(null, 'a.b')).toBeUndefined();
  });
});
