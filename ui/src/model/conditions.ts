// Conditions as Forklift means them: one counts when it is there and its status is True.
import type { Category, Condition } from './types';

export interface HasConditions {
  status?: { conditions?: Condition[] };
}

export function condition(object: HasConditions | undefined, type: string): Condition | undefined {
  return object?.status?.conditions?.find((c) => c.type === type && c.status === 'True');
}

export const isReady = (object: HasConditions | undefined): boolean => !!condition(object, 'Ready');

export const isBlocked = (object: HasConditions | undefined): boolean =>
  !!object?.status?.conditions?.some((c) => c.status === 'True' && (c.category === 'Critical' || c.category === 'Error'));

const order: (Category | undefined)[] = ['Critical', 'Error', 'Warn', 'Required', 'Advisory', undefined];

// The worst first; those of equal weight as the server ordered them.
export function worstFirst(conditions: Condition[] | undefined): Condition[] {
  return [...(conditions ?? [])]
    .filter((c) => c.status === 'True')
    .sort((a, b) => order.indexOf(a.category) - order.indexOf(b.category));
}

// What stands between the object and Ready, for people to read.
export const problems = (object: HasConditions | undefined): Condition[] =>
  worstFirst(object?.status?.conditions).filter((c) => c.category === 'Critical' || c.category === 'Error' || c.category === 'Warn');

export type Health = 'validating' | 'critical' | 'error' | 'warning' | 'pending' | 'ready' | 'notReady';

// One word for an object that is Ready or on its way there (providers, mappings, hosts).
export function health(object: HasConditions | undefined): Health {
  const conditions = worstFirst(object?.status?.conditions);
  if (conditions.length === 0) return 'validating';
  const worst = conditions[0]!;
  if (worst.category === 'Critical') return 'critical';
  if (worst.category === 'Error') return 'error';
  if (worst.category === 'Warn') return 'warning';
  if (isReady(object)) return 'ready';
  if (conditions.some((c) => c.reason === 'Started' || c.reason === 'Running')) return 'pending';
  return 'notReady';
}
