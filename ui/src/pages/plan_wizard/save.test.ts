import { describe, expect, it } from 'vitest';
import type { Provider } from '../../model/types';
import { emptyPlan, withVmIds, type FullPlan } from './draft';
import { planSpec } from './save';

const provider = (name: string) => ({ kind: 'Provider', metadata: { name, namespace: 'mtv', uid: name, creationTimestamp: '' }, spec: { type: 'vsphere' } }) as Provider;
const parties = { source: provider('vc'), target: provider('host') };
const maps = { network: { name: 'n' }, storage: { name: 's' } };
const draft = { ...emptyPlan, name: 'p', source: 'vc', target: 'host', namespace: 'apps', vms: new Set(['vm-1', 'vm-2']) };
const before = {
  spec: {
    warm: true,
    type: 'warm',
    archived: true,
    description: 'old',
    skipGuestConversion: true,
    preserveStaticIPs: true,
    vms: [{ name: 'one', targetName: 'first', hooks: [{ step: 'PreHook', hook: { name: 'h' } }] }, { id: 'vm-3' }],
  },
} as unknown as FullPlan;
const named = withVmIds(before, [{ id: 'vm-1', name: 'one' }]);

describe('the spec of a plan', () => {
  it('has nothing in it that nobody asked for', () =>
    expect(JSON.parse(JSON.stringify(planSpec(draft, parties, maps, [])))).toEqual({
      provider: { source: { name: 'vc', namespace: 'mtv' }, destination: { name: 'host', namespace: 'mtv' } },
      map: maps,
      targetNamespace: 'apps',
      warm: false,
      vms: [{ id: 'vm-1' }, { id: 'vm-2' }],
    }));

  it('keeps what the console does not show of an earlier plan and of its VMs', () => {
    const spec = planSpec({ ...draft, raw: true }, parties, maps, [], named);
    expect(spec).toMatchObject({ preserveStaticIPs: true, skipGuestConversion: true, warm: false });
    expect(spec.vms).toEqual([{ id: 'vm-1', name: 'one', targetName: 'first' }, { id: 'vm-2' }]);
  });

  it('leaves out what was taken away, what would contradict it, and that the earlier plan was archived', () => {
    const spec = planSpec(draft, parties, maps, [], named);
    for (const field of ['description', 'skipGuestConversion', 'type', 'archived', 'transferNetwork']) expect(spec).not.toHaveProperty(field);
  });

  it('gives every VM the hooks', () => {
    const hooks = [{ step: 'PostHook', hook: { name: 'new' } }];
    expect(planSpec(draft, parties, maps, hooks, named).vms).toMatchObject([{ hooks }, { hooks }]);
  });
});
