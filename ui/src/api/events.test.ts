import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Plan, VmRow } from '../model/types';
import type { RowsView } from './cluster';
import { EventsConnection } from './events';
import { Store } from './store';

class FakeSource {
  static last: FakeSource;
  onerror: (() => void) | null = null;
  closed = false;
  private handlers = new Map<string, (message: { data: string }) => void>();
  constructor(readonly url: string) {
    FakeSource.last = this;
  }
  addEventListener(event: string, handler: (message: { data: string }) => void): void {
    this.handlers.set(event, handler);
  }
  tell(event: string, data: unknown = {}): void {
    this.handlers.get(event)?.({ data: JSON.stringify(data) });
  }
  close(): void {
    this.closed = true;
  }
}

const plan = (name: string, done = 0): Plan => ({
  kind: 'Plan',
  metadata: { name, uid: name, creationTimestamp: '2026-01-01T00:00:00Z' },
  spec: { provider: { source: {}, destination: {} }, map: {}, targetNamespace: 't' },
  status: {
    vms: { total: 1, reported: 1, succeeded: 0, failed: 0, canceled: 0, running: 1, queued: 0, precopying: 0, cutoverStarted: 0 },
    bytes: { done, total: 100 },
  },
});

describe('the event stream', () => {
  let store: Store;
  let session: unknown;
  let left: boolean;
  let events: EventsConnection;
  let told: [string, string | undefined, RowsView][];

  beforeEach(() => {
    vi.useFakeTimers();
    store = new Store();
    session = { user: 'anna' };
    left = false;
    told = [];
    events = new EventsConnection(
      store,
      () => (left = true),
      (url) => new FakeSource(url) as unknown as EventSource,
      () => Promise.resolve(session),
      (...view) => {
        told.push(view);
        return Promise.resolve();
      },
    );
    events.start();
  });
  afterEach(() => {
    events.stop();
    vi.useRealTimers();
  });

  it('fills the store, and forgets what has gone while it was away', async () => {
    FakeSource.last.tell('hello', { namespace: 'n' });
    FakeSource.last.tell('upsert', plan('a'));
    FakeSource.last.tell('upsert', plan('b'));
    FakeSource.last.tell('synced');
    expect(store.list('Plan').map((p) => p.metadata.name)).toEqual(['a', 'b']);

    FakeSource.last.onerror!();
    expect(store.connection).toBe('lost');
    await vi.advanceTimersByTimeAsync(600);
    FakeSource.last.tell('hello', { namespace: 'n' });
    FakeSource.last.tell('upsert', plan('b'));
    expect(store.list('Plan')).toHaveLength(2);
    FakeSource.last.tell('synced');
    expect(store.connection).toBe('live');
    expect(store.list('Plan').map((p) => p.metadata.name)).toEqual(['b']);
  });

  it('takes silence for a broken connection', async () => {
    FakeSource.last.tell('hello');
    await vi.advanceTimersByTimeAsync(20_000);
    FakeSource.last.tell('beat');
    await vi.advanceTimersByTimeAsync(20_000);
    expect(store.connection).toBe('live');
    await vi.advanceTimersByTimeAsync(6_000);
    expect(store.connection).toBe('lost');
  });

  it('leaves when nobody is signed in any more', async () => {
    session = undefined;
    FakeSource.last.onerror!();
    await vi.advanceTimersByTimeAsync(600);
    expect(left).toBe(true);
  });

  it('follows the VMs of the plan that is looked at', () => {
    events.look('a');
    expect(told).toEqual([]);
    FakeSource.last.tell('hello', { namespace: 'n', viewer: 'v1' });
    expect(told).toEqual([['v1', 'a', {}]]);
    const row = (id: string, phase: string): VmRow => ({ id, phase });
    FakeSource.last.tell('rows', { plan: 'a', rows: [row('1', 'x'), row('2', 'x')], reset: true, found: 45, offset: 20 });
    FakeSource.last.tell('rows', { plan: 'a', rows: [row('2', 'y')], reset: false, found: 46, offset: 20 });
    expect(store.rows('a').map((r) => r.phase)).toEqual(['x', 'y']);
    expect(store.rows('b')).toEqual([]);
    expect(store.place('a')).toEqual({ found: 46, offset: 20 });
  });

  it('asks for another page on the stream that is open, and on the next one again', async () => {
    FakeSource.last.tell('hello', { viewer: 'v1' });
    events.look('a', { offset: 20 });
    events.look('a', { offset: 20 });
    FakeSource.last.onerror!();
    await vi.advanceTimersByTimeAsync(600);
    FakeSource.last.tell('hello', { viewer: 'v2' });
    expect(told).toEqual([
      ['v1', 'a', { offset: 20 }],
      ['v2', 'a', { offset: 20 }],
    ]);
  });

  it('tells one view after the other, the last one last', async () => {
    FakeSource.last.tell('hello', { viewer: 'v1' });
    events.look('a');
    events.look(undefined);
    events.look('b');
    expect(told).toEqual([['v1', 'a', {}]]);
    await vi.advanceTimersByTimeAsync(0);
    expect(told.slice(1)).toEqual([['v1', 'b', {}]]);
  });

  it('measures how fast a plan goes', async () => {
    FakeSource.last.tell('upsert', plan('a', 0));
    await vi.advanceTimersByTimeAsync(5000);
    FakeSource.last.tell('upsert', plan('a', 50));
    expect(store.planMeter('a')?.rate()).toBe(10);
  });

  it('remembers why a kind cannot be read', () => {
    FakeSource.last.tell('trouble', { kind: 'Plan', reason: 'Forbidden', message: 'no' });
    expect(store.trouble('Plan')?.reason).toBe('Forbidden');
    FakeSource.last.tell('trouble', { kind: 'Plan', reason: '', message: '' });
    expect(store.trouble('Plan')).toBeUndefined();
  });
});
