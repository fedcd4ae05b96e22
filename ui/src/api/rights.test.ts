import { describe, expect, it } from 'vitest';
import type { Rules } from './cluster';
import { allows } from './rights';

const rules = (...resourceRules: Rules['resourceRules']): Rules => ({ incomplete: false, resourceRules });
const forklift = ['forklift.konveyor.io'];

describe('rights', () => {
  it('nothing is denied while they are not known, or not all known', () => {
    expect(allows(undefined, 'delete', 'Plan')).toBe(true);
    expect(allows({ incomplete: true, resourceRules: [] }, 'delete', 'Plan')).toBe(true);
  });

  it.each([
    ['a rule of verb, group and resource', { verbs: ['create'], apiGroups: forklift, resources: ['plans'] }, true],
    ['stars', { verbs: ['*'], apiGroups: ['*'], resources: ['*'] }, true],
    ['another verb', { verbs: ['get', 'list'], apiGroups: forklift, resources: ['plans'] }, false],
    ['another group', { verbs: ['create'], apiGroups: ['apps'], resources: ['plans'] }, false],
    ['another resource', { verbs: ['create'], apiGroups: forklift, resources: ['providers'] }, false],
    ['a single object', { verbs: ['create'], apiGroups: forklift, resources: ['plans'], resourceNames: ['mine'] }, false],
  ])('%s', (_what, rule, allowed) => expect(allows(rules(rule), 'create', 'Plan')).toBe(allowed));

  it('core resources have the empty group', () =>
    expect(allows(rules({ verbs: ['create'], apiGroups: [''], resources: ['secrets'] }), 'create', 'Secret')).toBe(true));
});
