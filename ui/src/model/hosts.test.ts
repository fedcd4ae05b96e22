import { describe, expect, it } from 'vitest';
import type { InventoryHost } from '../api/cluster';
import { configOfHost } from './hosts';
import type { Host } from './types';

const hosts = [{ id: 'h1', name: 'one' }, { id: 'h2', name: 'two' }] as InventoryHost[];
const host = (spec: object) => ({ spec }) as Host;

describe('configOfHost', () => {
  it('finds a Host by id, or by name where it has none', () => {
    const byId = host({ id: 'h1', ipAddress: '192.0.2.1' });
    const byName = host({ name: 'two', ipAddress: '192.0.2.2' });
    expect(configOfHost([byName, byId], hosts, 'h1')).toBe(byId);
    expect(configOfHost([byName, byId], hosts, 'h2')).toBe(byName);
  });

  it('does not take a name for another id', () => {
    expect(configOfHost([host({ id: 'h9', name: 'two' })], hosts, 'h2')).toBeUndefined();
  });
});
