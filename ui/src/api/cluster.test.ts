import { afterEach, expect, it, vi } from 'vitest';
import type { Migration } from '../model/types';
import { cancelVms } from './cluster';

const migration = { metadata: { name: 'm' } } as Migration;
const answer = (status: number, body: unknown) => new Response(JSON.stringify(body), { status });
const patchOf = (call: unknown[] | undefined): unknown => JSON.parse((call![1] as RequestInit).body as string);

afterEach(() => vi.unstubAllGlobals());

it('cancels besides what others cancelled meanwhile', async () => {
  const first = { plan: { name: 'p' } };
  const second = { plan: { name: 'p' }, cancel: [{ id: 'vm-1' }] };
  const fetch = vi
    .fn()
    .mockResolvedValueOnce(answer(200, { spec: first }))
    .mockResolvedValueOnce(answer(422, { reason: 'Invalid', message: 'test failed' }))
    .mockResolvedValueOnce(answer(200, { spec: second }))
    .mockResolvedValueOnce(answer(200, {}));
  vi.stubGlobal('fetch', fetch);
  await cancelVms(migration, [
    { id: 'vm-1', name: 'one' },
    { id: 'vm-2', name: 'two' },
  ]);
  expect(patchOf(fetch.mock.calls[1])).toContainEqual({ op: 'test', path: '/spec', value: first });
  expect(patchOf(fetch.mock.calls[3])).toEqual([
    { op: 'test', path: '/spec', value: second },
    { op: 'add', path: '/spec/cancel', value: [{ id: 'vm-1' }, { id: 'vm-2', name: 'two' }] },
  ]);
});

it('says what refuses a cancellation', async () => {
  const fetch = vi.fn().mockResolvedValueOnce(answer(200, { spec: {} })).mockResolvedValueOnce(answer(403, { message: 'you may not' }));
  vi.stubGlobal('fetch', fetch);
  await expect(cancelVms(migration, [{ id: 'vm-1' }])).rejects.toThrow('you may not');
  expect(fetch).toHaveBeenCalledTimes(2);
});
