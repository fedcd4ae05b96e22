// Writes a plan and what belongs to it: maps and hooks first, then the plan, then whose they are.
import * as cluster from '../../api/cluster';
import { mapSpec, type MapKind } from '../../model/mapping';
import type { Hook, Kind, NetworkMap, Plan, Provider, Ref, Resource, StorageMap } from '../../model/types';
import { default_hook_image, encode, isRaw, powerOf, type FullPlan, type HookDraft, type HookRef, type MapDraft, type PlanDraft } from './draft';

const kindOf = { network: 'NetworkMap', storage: 'StorageMap' } as const;
const unshared = { 'forklift.konveyor.io/shared': 'false' };

interface Parties {
  source: Provider;
  target: Provider;
}

const specOf = (kind: MapKind, map: MapDraft, { source, target }: Parties) => ({
  provider: { source: cluster.refOf(source), destination: cluster.refOf(target) },
  map: mapSpec(kind, map.rows),
});

// What was made for a plan that then could not be made is taken away again.
class Made {
  private undo: (() => Promise<unknown>)[] = [];

  async create<T extends Resource>(kind: Kind, object: Parameters<typeof cluster.create>[1]): Promise<T> {
    const made = await cluster.create<T>(kind, object);
    this.undo.push(() => cluster.remove(kind, made.metadata.name));
    return made;
  }

  // From here on it is used, whatever fails after.
  keep(): void {
    this.undo = [];
  }

  async takeAway(): Promise<void> {
    await Promise.allSettled(this.undo.map((undo) => undo()));
  }
}

async function saveMap(made: Made, kind: MapKind, map: MapDraft, plan: string, parties: Parties): Promise<Resource> {
  if (map.existing) return cluster.get(kindOf[kind], map.existing);
  const spec = specOf(kind, map, parties);
  if (map.own) return cluster.patch<NetworkMap | StorageMap>(kindOf[kind], map.own, { spec });
  return made.create<NetworkMap | StorageMap>(kindOf[kind], { metadata: { generateName: `${plan}-`, annotations: unshared }, spec });
}

async function saveHook(made: Made, hook: HookDraft, plan: string): Promise<Hook> {
  const spec = hook.playbook ? { image: hook.image || default_hook_image, playbook: encode(hook.playbook) } : { image: hook.image, playbook: null };
  if (hook.own) return cluster.patch<Hook>('Hook', hook.own, { spec });
  return made.create<Hook>('Hook', { metadata: { generateName: `${plan}-hook-` }, spec: hook.playbook ? spec : { image: hook.image } });
}

const own = (object: Resource, plan: Plan): Promise<unknown> =>
  cluster.patch(object.kind as 'Hook' | 'NetworkMap' | 'StorageMap', object.metadata.name, {
    metadata: { ownerReferences: [cluster.ownerOf(plan, 'Plan')] },
  });

// The plan's spec. What the console does not show of an earlier plan (before) stays as it was there, of its VMs too.
export function planSpec(draft: PlanDraft, parties: Parties, maps: { network: Ref; storage: Ref }, hooks: HookRef[], before?: FullPlan): Record<string, unknown> {
  const spec: Record<string, unknown> = {
    ...before?.spec,
    provider: { source: cluster.refOf(parties.source), destination: cluster.refOf(parties.target) },
    map: maps,
    targetNamespace: draft.namespace,
    warm: draft.warm,
    vms: [...draft.vms].map((id) => ({ ...before?.spec.vms.find((vm) => vm.id === id), id, hooks: hooks.length ? hooks : undefined })),
  };
  const put = (field: string, value: unknown): void => {
    if (value) spec[field] = value;
    else delete spec[field];
  };
  put('description', draft.description);
  put('transferNetwork', draft.transferNetwork && { name: draft.transferNetwork, namespace: draft.namespace });
  if (draft.raw !== isRaw(before)) put('skipGuestConversion', draft.raw);
  if (draft.power !== powerOf(before)) put('targetPowerState', draft.power);
  delete spec.type; // the newer word for warm: it would win
  delete spec.archived;
  return spec;
}

// A merge patch removes what is null.
const asPatch = (before: FullPlan, spec: Record<string, unknown>): Record<string, unknown> => ({
  ...Object.fromEntries(Object.keys(before.spec).map((field) => [field, null])),
  ...spec,
});

async function write(made: Made, draft: PlanDraft, parties: Parties, before: FullPlan | undefined, editing: boolean): Promise<void> {
  const network = await saveMap(made, 'network', draft.network, draft.name, parties);
  const storage = await saveMap(made, 'storage', draft.storage, draft.name, parties);
  const hooks: { step: string; object: Hook }[] = [];
  for (const hook of draft.hooks) hooks.push({ step: hook.step, object: await saveHook(made, hook, draft.name) });
  for (const kind of ['network', 'storage'] as const) {
    const map = draft[kind];
    if (!map.existing && map.save) await made.create(kindOf[kind], { metadata: { name: map.saveAs }, spec: specOf(kind, map, parties) });
  }
  const refs = hooks.map(({ step, object }) => ({ step, hook: cluster.refOf(object) }));
  const spec = planSpec(draft, parties, { network: cluster.refOf(network), storage: cluster.refOf(storage) }, refs, before);
  const plan =
    editing && before
      ? await cluster.patch<Plan>('Plan', draft.name, { spec: asPatch(before, spec) })
      : await made.create<Plan>('Plan', { metadata: { name: draft.name }, spec });

  if (editing) made.keep();
  if (!draft.network.existing) await own(network, plan);
  if (!draft.storage.existing) await own(storage, plan);
  for (const { object } of hooks) await own(object, plan);
}

const hookNames = (plan: FullPlan): string[] => [
  ...new Set(plan.spec.vms.flatMap((vm) => vm.hooks ?? []).flatMap(({ hook }) => (hook.name ? [hook.name] : []))),
];

// What only the plan had, and it has no longer.
async function removeUnused(draft: PlanDraft, before: FullPlan): Promise<void> {
  for (const name of hookNames(before)) if (!draft.hooks.some((hook) => hook.own === name)) await cluster.remove('Hook', name);
  for (const kind of ['network', 'storage'] as const) {
    const { existing, own } = draft[kind];
    if (existing && own) await cluster.remove(kindOf[kind], own);
  }
}

// before: the plan that is edited, or else copied. What was newly made is gone again when this fails.
export async function savePlan(draft: PlanDraft, parties: Parties, newNamespace: boolean, before: FullPlan | undefined, editing: boolean): Promise<void> {
  const made = new Made();
  if (newNamespace && !parties.target.spec.url) await cluster.ensureNamespace(draft.namespace);
  try {
    await write(made, draft, parties, before, editing);
  } catch (error) {
    await made.takeAway();
    throw error;
  }
  if (editing && before) await removeUnused(draft, before);
}
