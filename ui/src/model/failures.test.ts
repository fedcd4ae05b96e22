import { expect, it } from 'vitest';
import { failureGroups } from './failures';
import type { Plan } from './types';

const plan = (name: string, reasons: string[], archived = false) =>
  ({ metadata: { name }, spec: { archived }, status: { failures: reasons.map((reason, n) => ({ name: `${name}-${n}`, reason })) } }) as unknown as Plan;

it('groups failures by what they have in common, the most frequent first', () => {
  const groups = failureGroups([
    plan('a', ['No space on [ds1]: 12 GiB are missing.', 'The guest is encrypted.']),
    plan('b', ['No space on [ds2]: 7 GiB are missing.']),
    plan('old', ['No space on [ds2]: 7 GiB are missing.'], true),
  ]);
  expect(groups.map((group) => group.vms.length)).toEqual([2, 1]);
  expect(groups[0]!.vms).toEqual([
    { plan: 'a', name: 'a-0' },
    { plan: 'b', name: 'b-0' },
  ]);
});
