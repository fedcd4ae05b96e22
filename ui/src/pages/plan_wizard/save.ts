// Writes a plan and what belongs to it: maps and hooks first, then the plan, then whose they are.
import * as cluster from '../../api/cluster';
import { networkSpec, storageSpec, type MapKind } from '../../model/mapping';
import type { Hook, NetworkMap, Plan, Provider, Resource, StorageMap } from '../../model/types';
import { default_hook_image, encode, type HookDraft, type MapDraft, type PlanDraft } from './draft';

const kindOf = { network: 'NetworkMap', storage: 'StorageMap' } as const;
const unshared = { 'forklift.konveyor.io/shared': 'false' };

interface Parties {
  source: Provider;
  target: Provider;
}

const mapSpec = (kind: MapKind, map: MapDraft, { source, target }: Parties) => ({
  provider: { source: cluster.refOf(source), destination: cluster.refOf(target) },
  map: kind === 'network' ? networkSpec(map.rows) : storageSpec(map.rows),
});

async function saveMap(kind: MapKind, map: MapDraft, plan: string, parties: Parties): Promise<Resource> {
  if (map.existing) return cluster.get(kindOf[kind], map.existing);
  const spec = mapSpec(kind, map, parties);
  if (map.own) return cluster.patch<NetworkMap | StorageMap>(kindOf[kind], map.own, { spec });
  return cluster.create<NetworkMap | StorageMap>(kindOf[kind], { metadata: { generateName: `${plan}-`, annotations: unshared }, spec });
}

async function saveHook(hook: HookDraft, plan: string): Promise<Hook> {
  const spec = hook.playbook
    ? { image: hook.image || default_hook_image, playbook: encode(hook.playbook) }
    : { image: hook.image, playbook: null };
  if (hook.own) return cluster.patch<Hook>('Hook', hook.own, { spec });
  return cluster.create<Hook>('Hook', {
    metadata: { generateName: `${plan}-hook-` },
    spec: hook.playbook ? spec : { image: hook.image },
  });
}

const own = (object: Resource, plan: Plan): Promise<unknown> =>
  cluster.patch(object.kind as 'Hook' | 'NetworkMap' | 'StorageMap', object.metadata.name, {
    metadata: { ownerReferences: [cluster.ownerOf(plan, 'Plan')] },
  });

// edited: the plan that is changed; hooks of it that are no longer wanted are removed.
export async function savePlan(draft: PlanDraft, parties: Parties, newNamespace: boolean, edited?: { hooks: string[] }): Promise<void> {
  if (newNamespace && !parties.target.spec.url) await cluster.ensureNamespace(draft.namespace);
  const network = await saveMap('network', draft.network, draft.name, parties);
  const storage = await saveMap('storage', draft.storage, draft.name, parties);
  const hooks = await Promise.all(draft.hooks.map(async (hook) => ({ step: hook.step, object: await saveHook(hook, draft.name) })));

  const hookRefs = hooks.map(({ step, object }) => ({ step, hook: cluster.refOf(object) }));
  const spec = {
    description: draft.description || (edited ? null : undefined),
    provider: { source: cluster.refOf(parties.source), destination: cluster.refOf(parties.target) },
    map: { network: cluster.refOf(network), storage: cluster.refOf(storage) },
    targetNamespace: draft.namespace,
    warm: draft.warm,
    ...(edited ? { type: null } : {}),
    transferNetwork: draft.transferNetwork ? { name: draft.transferNetwork, namespace: draft.namespace } : edited ? null : undefined,
    vms: [...draft.vms].map((id) => (hookRefs.length ? { id, hooks: hookRefs } : { id })),
  };
  const plan = edited ? await cluster.patch<Plan>('Plan', draft.name, { spec }) : await cluster.create<Plan>('Plan', { metadata: { name: draft.name }, spec });

  for (const map of [draft.network.existing ? undefined : network, draft.storage.existing ? undefined : storage]) if (map) await own(map, plan);
  for (const { object } of hooks) await own(object, plan);
  for (const name of edited?.hooks ?? []) if (!draft.hooks.some((hook) => hook.own === name)) await cluster.remove('Hook', name);
  for (const kind of ['network', 'storage'] as const) {
    const map = draft[kind];
    if (!map.existing && map.save) await cluster.create(kindOf[kind], { metadata: { name: map.saveAs }, spec: mapSpec(kind, map, parties) });
  }
}
