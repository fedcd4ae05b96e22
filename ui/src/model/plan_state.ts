// The state of a plan in one word: the first rule that fits decides. A condition counts only when its status is True,
// and a plan that something blocks is said to be blocked even while a migration waits for it.
import { condition, isBlocked, isReady } from './conditions';
import type { Migration, Plan } from './types';

export type PlanState =
  | 'Deleting'
  | 'Validating'
  | 'Unknown'
  | 'Archived'
  | 'Archiving'
  | 'Starting'
  | 'Ready'
  | 'NotReady'
  | 'CopyingCanceled'
  | 'CopyingFailed'
  | 'Canceled'
  | 'Failed'
  | 'Incomplete'
  | 'StartingCutover'
  | 'Running'
  | 'CutoverScheduled'
  | 'Copying'
  | 'Succeeded';

export const isWarm = (plan: Plan): boolean => (plan.spec.type ? plan.spec.type === 'warm' : !!plan.spec.warm);

const fresh_ms = 30_000;

// The plan's newest migration, whether it has begun or not.
export function newestMigration(plan: Plan, migrations: Iterable<Migration>): Migration | undefined {
  let newest: Migration | undefined;
  for (const migration of migrations) {
    const ref = migration.spec.plan;
    if (ref.uid ? ref.uid !== plan.metadata.uid : ref.name !== plan.metadata.name) continue;
    if (!newest || later(migration, newest)) newest = migration;
  }
  return newest;
}

function later(a: Migration, b: Migration): boolean {
  const when = a.metadata.creationTimestamp.localeCompare(b.metadata.creationTimestamp);
  return when > 0 || (when === 0 && a.metadata.name > b.metadata.name);
}

function hasEnded(migration: Migration): boolean {
  return !!migration.status?.completed || ['Succeeded', 'Failed', 'Canceled'].some((type) => condition(migration, type));
}

function isStarting(plan: Plan, migration: Migration | undefined): boolean {
  const status = plan.status!;
  if (condition(plan, 'Succeeded') && status.migration?.uid === migration?.metadata.uid) return false;
  if (status.started && !status.completed && status.vms.reported === 0) return true;
  if (!migration || hasEnded(migration)) return false;
  return !status.started || status.migration?.uid !== migration.metadata.uid;
}

export function planState(plan: Plan, migrations: Iterable<Migration>, now: number): PlanState {
  const status = plan.status;
  if (plan.metadata.deletionTimestamp) return 'Deleting';
  if (!status || (!status.conditions?.length && !status.started))
    return now - Date.parse(plan.metadata.creationTimestamp) > fresh_ms ? 'Unknown' : 'Validating';
  if (plan.spec.archived) return condition(plan, 'Archived') ? 'Archived' : 'Archiving';

  const executing = !!condition(plan, 'Executing');
  const migration = newestMigration(plan, migrations);
  if (isStarting(plan, migration)) return !executing && isBlocked(plan) ? 'NotReady' : 'Starting';
  if (!status.started) return isReady(plan) ? 'Ready' : 'NotReady';

  const warm = isWarm(plan);
  const cutover = migration?.spec.cutover ? Date.parse(migration.spec.cutover) : undefined;
  if (!executing) {
    if (condition(plan, 'Canceled')) return warm && cutover === undefined ? 'CopyingCanceled' : 'Canceled';
    if (condition(plan, 'Failed')) return warm && cutover === undefined ? 'CopyingFailed' : 'Failed';
    if (status.vms.succeeded < status.vms.total) return condition(plan, 'Succeeded') || isReady(plan) ? 'Incomplete' : 'Unknown';
    return condition(plan, 'Succeeded') ? 'Succeeded' : 'Unknown';
  }
  if (!warm || status.vms.cutoverStarted > 0) return 'Running';
  if (cutover === undefined) return 'Copying';
  return cutover > now ? 'CutoverScheduled' : 'StartingCutover';
}

const active: PlanState[] = ['Starting', 'StartingCutover', 'Running', 'CutoverScheduled', 'Copying'];
const ended: PlanState[] = ['CopyingCanceled', 'CopyingFailed', 'Canceled', 'Failed', 'Incomplete', 'Succeeded'];
const unfinished: PlanState[] = ['CopyingCanceled', 'CopyingFailed', 'Canceled', 'Failed', 'Incomplete'];

export const isActive = (state: PlanState): boolean => active.includes(state);
export const canStart = (state: PlanState): boolean => state === 'Ready';
export const canRestart = (state: PlanState): boolean => unfinished.includes(state);
export const canArchive = (state: PlanState): boolean => ended.includes(state);
export const canCutover = (state: PlanState): boolean => state === 'Copying' || state === 'CutoverScheduled';
export const canEdit = (plan: Plan, state: PlanState): boolean =>
  !plan.status?.started && (state === 'Ready' || state === 'NotReady' || state === 'Unknown' || state === 'Validating');
export const canDelete = (state: PlanState): boolean => !isActive(state) && state !== 'Deleting' && state !== 'Archiving';

// The states that the list is filtered by: what a person would call them.
export const filterStates = ['Ready', 'NotReady', 'Running', 'Succeeded', 'Failed', 'Canceled', 'Incomplete', 'Archived'] as const;
export type FilterState = (typeof filterStates)[number];

export function filterState(state: PlanState): FilterState {
  switch (state) {
    case 'Ready':
    case 'Succeeded':
    case 'Incomplete':
      return state;
    case 'Archived':
    case 'Archiving':
      return 'Archived';
    case 'Canceled':
    case 'CopyingCanceled':
      return 'Canceled';
    case 'Failed':
    case 'CopyingFailed':
      return 'Failed';
    default:
      return isActive(state) ? 'Running' : 'NotReady';
  }
}
