import { describe, expect, it } from 'vitest';
import { canArchive, canDelete, canEdit, canRestart, filterState, newestMigration, planState, type PlanState } from './plan_state';
import type { Condition, Migration, Plan, VmCounts } from './types';

const now = Date.parse('2026-11-23T12:00:00Z');
const condition = (type: string, category: Condition['category'] = 'Advisory'): Condition => ({ type, status: 'True', category });
const counts = (some: Partial<VmCounts> = {}): VmCounts => ({
  total: 2,
  reported: 2,
  succeeded: 0,
  failed: 0,
  canceled: 0,
  running: 0,
  queued: 0,
  precopying: 0,
  cutoverStarted: 0,
  ...some,
});

function plan(spec: Partial<Plan['spec']> = {}, status?: Partial<NonNullable<Plan['status']>>, created = '2026-11-23T11:00:00Z'): Plan {
  return {
    kind: 'Plan',
    metadata: { name: 'p', namespace: 'openshift-mtv', uid: 'plan-1', creationTimestamp: created },
    spec: { provider: { source: {}, destination: {} }, map: {}, targetNamespace: 't', ...spec },
    status: status && { vms: counts(), bytes: { done: 0, total: 0 }, ...status },
  };
}

function migration(uid: string, some: Partial<Migration['spec']> = {}, status?: Migration['status'], created = '2026-11-23T11:30:00Z'): Migration {
  return {
    kind: 'Migration',
    metadata: { name: uid, uid, creationTimestamp: created },
    spec: { plan: { name: 'p', uid: 'plan-1' }, ...some },
    status,
  };
}

const began = '2026-11-23T11:30:00Z';
const known = { name: 'm', uid: 'm' };
const warm = { warm: true };

const rows: [string, Plan, Migration[], PlanState][] = [
  ['a new plan is being validated', plan({}, undefined, '2026-11-23T11:59:50Z'), [], 'Validating'],
  ['a plan that nobody looks at is unknown', plan(), [], 'Unknown'],
  ['ready', plan({}, { conditions: [condition('Ready', 'Required')] }), [], 'Ready'],
  ['a condition that is False does not count', plan({}, { conditions: [{ ...condition('Ready'), status: 'False' }] }), [], 'NotReady'],
  ['blocked', plan({}, { conditions: [condition('VMNotFound', 'Critical')] }), [], 'NotReady'],
  ['a migration waits for it to begin', plan({}, { conditions: [condition('Ready')] }), [migration('m')], 'Starting'],
  ['a blocked plan does not pretend to start', plan({}, { conditions: [condition('VMNotFound', 'Critical')] }), [migration('m')], 'NotReady'],
  ['started without VMs yet', plan({}, { conditions: [condition('Executing')], started: began, migration: known, vms: counts({ reported: 0 }) }), [migration('m')], 'Starting'],
  ['restarted, not in the history yet', plan({}, { conditions: [condition('Failed')], started: began, completed: began, migration: { uid: 'old' } }), [migration('m')], 'Starting'],
  ['an ended migration does not start anything', plan({}, { conditions: [condition('Failed')], started: began, completed: began, migration: { uid: 'old' } }), [migration('m', {}, { completed: began })], 'Failed'],
  ['running', plan({}, { conditions: [condition('Ready'), condition('Executing')], started: began, migration: known }), [migration('m')], 'Running'],
  ['succeeded', plan({}, { conditions: [condition('Succeeded')], started: began, completed: began, migration: known, vms: counts({ succeeded: 2 }) }), [migration('m')], 'Succeeded'],
  ['succeeded with a canceled VM', plan({}, { conditions: [condition('Succeeded')], started: began, completed: began, migration: known, vms: counts({ succeeded: 1, canceled: 1 }) }), [migration('m')], 'Incomplete'],
  ['failed', plan({}, { conditions: [condition('Failed')], started: began, completed: began, migration: known }), [migration('m')], 'Failed'],
  ['canceled', plan({}, { conditions: [condition('Canceled')], started: began, completed: began, migration: known }), [migration('m')], 'Canceled'],
  ['archiving', plan({ archived: true }, { conditions: [condition('Succeeded')], started: began }), [], 'Archiving'],
  ['archived', plan({ archived: true }, { conditions: [condition('Archived')], started: began }), [], 'Archived'],
  ['warm copies', plan(warm, { conditions: [condition('Executing')], started: began, migration: known, vms: counts({ precopying: 2 }) }), [migration('m')], 'Copying'],
  ['warm by its type', plan({ type: 'warm' }, { conditions: [condition('Executing')], started: began, migration: known }), [migration('m')], 'Copying'],
  ['the type wins', plan({ warm: true, type: 'cold' }, { conditions: [condition('Executing')], started: began, migration: known }), [migration('m')], 'Running'],
  ['cutover to come', plan(warm, { conditions: [condition('Executing')], started: began, migration: known }), [migration('m', { cutover: '2026-11-23T13:00:00Z' })], 'CutoverScheduled'],
  ['cutover begins', plan(warm, { conditions: [condition('Executing')], started: began, migration: known }), [migration('m', { cutover: '2026-11-23T11:59:00Z' })], 'StartingCutover'],
  ['cutover runs', plan(warm, { conditions: [condition('Executing')], started: began, migration: known, vms: counts({ cutoverStarted: 1 }) }), [migration('m', { cutover: '2026-11-23T11:59:00Z' })], 'Running'],
  ['copies failed', plan(warm, { conditions: [condition('Failed')], started: began, completed: began, migration: known }), [migration('m')], 'CopyingFailed'],
  ['copies canceled', plan(warm, { conditions: [condition('Canceled')], started: began, completed: began, migration: known }), [migration('m')], 'CopyingCanceled'],
  ['failed after the cutover', plan(warm, { conditions: [condition('Failed')], started: began, completed: began, migration: known }), [migration('m', { cutover: '2026-11-23T11:00:00Z' })], 'Failed'],
];

describe('the state of a plan', () => {
  it.each(rows)('%s', (_name, object, migrations, state) => {
    expect(planState(object, migrations, now)).toBe(state);
  });

  it('says that a plan is being deleted', () => {
    const object = plan({}, { conditions: [condition('Ready')] });
    object.metadata.deletionTimestamp = began;
    expect(planState(object, [], now)).toBe('Deleting');
  });

  it('takes the newest migration of the plan, by time, then by name', () => {
    const other = migration('x', { plan: { name: 'q', uid: 'plan-2' } }, undefined, '2026-11-23T11:59:00Z');
    const byName = migration('y', { plan: { name: 'p' } });
    expect(newestMigration(plan(), [migration('a'), other, byName])?.metadata.name).toBe('y');
  });
});

describe('what can be done to a plan', () => {
  it('edits only what has never started', () => {
    expect(canEdit(plan(), 'Ready')).toBe(true);
    expect(canEdit(plan({}, { started: began }), 'Failed')).toBe(false);
  });
  it('restarts what did not end well', () => {
    expect((['Failed', 'Canceled', 'Incomplete', 'CopyingFailed'] as PlanState[]).every(canRestart)).toBe(true);
    expect(canRestart('Succeeded')).toBe(false);
  });
  it('archives what has ended', () => {
    expect(canArchive('Succeeded')).toBe(true);
    expect(canArchive('Running')).toBe(false);
  });
  it('does not delete what runs', () => {
    expect(canDelete('Copying')).toBe(false);
    expect(canDelete('Ready')).toBe(true);
  });
  it('groups states for the filter', () => {
    expect(filterState('CopyingFailed')).toBe('Failed');
    expect(filterState('CutoverScheduled')).toBe('Running');
    expect(filterState('Validating')).toBe('NotReady');
  });
});
