import { describe, expect, it } from 'vitest';
import { pageOf, sorted } from './pages';

const hosts = [
  { name: 'esx-10', mtu: 1500 },
  { name: 'esx-2', mtu: 9000 },
  { name: 'esx-1', mtu: 1500 },
];
const keys = [(host: (typeof hosts)[0]) => host.name, (host: (typeof hosts)[0]) => host.mtu];
const names = (by: number, descending: boolean) => sorted(hosts, keys, { by, descending }).map(({ name }) => name);

describe('a list', () => {
  it('is sorted with its numbers as such', () => expect(names(0, false)).toEqual(['esx-1', 'esx-2', 'esx-10']));
  it('is sorted by another column, equals by name', () => expect(names(1, false)).toEqual(['esx-1', 'esx-10', 'esx-2']));
  it('keeps equals by name also from the other end', () => expect(names(1, true)).toEqual(['esx-2', 'esx-1', 'esx-10']));
  it.each([
    [1, [1, 2]],
    [3, [5]],
    [9, [5]],
  ])('has page %d', (page, rows) => expect(pageOf([1, 2, 3, 4, 5], page, 2).rows).toEqual(rows));
  it('of nothing has one page', () => expect(pageOf([], 3, 20)).toEqual({ at: 1, rows: [] }));
});
