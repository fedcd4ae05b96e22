// VMs that failed for the same reason, together: numbers, names in quotes and identifiers do not make another reason.
import type { Plan } from './types';

export interface FailureGroup {
  reason: string; // of the first
  remedy?: string;
  vms: { plan: string; name: string }[];
}

const essence = (reason: string): string =>
  reason
    .replace(/"[^"]*"|'[^']*'|\[[^\]]*\]/g, '…')
    .replace(/\b[\w.-]*\d[\w.-]*\b/g, '#')
    .toLowerCase();

export function failureGroups(plans: Plan[]): FailureGroup[] {
  const groups = new Map<string, FailureGroup>();
  for (const plan of plans) {
    if (plan.spec.archived) continue;
    for (const { id, name, reason, remedy } of plan.status?.failures ?? []) {
      const key = essence(reason ?? '');
      const group = groups.get(key) ?? { reason: reason ?? '', remedy, vms: [] };
      group.vms.push({ plan: plan.metadata.name, name: name ?? id ?? '' });
      groups.set(key, group);
    }
  }
  return [...groups.values()].sort((a, b) => b.vms.length - a.vms.length);
}
