// A plan as it is being made: what each step of the wizard fills in, and what is still missing.
import type { InventoryVm, TreeNode } from '../../api/cluster';
import { complete, usedRows, type MapRow } from '../../model/mapping';
import { nameMistake, planNameMistake, type Mistake } from '../../model/names';
import type { Hook, Plan, Ref } from '../../model/types';

export interface MapDraft {
  existing: string; // name of a shared map, or "" for one of the plan's own
  rows: MapRow[];
  save: boolean; // also as a shared map …
  saveAs: string; // … of this name
  own: string; // the plan's own map that is edited, or ""
}

export type HookStep = 'PreHook' | 'PostHook';

export interface HookDraft {
  step: HookStep;
  playbook: string; // either …
  image: string; // … or
  own: string; // the Hook that is edited, or ""
}

export type Power = 'auto' | 'on' | 'off'; // of the target VMs; auto: as the sources were

export interface PlanDraft {
  name: string;
  description: string;
  source: string;
  target: string;
  namespace: string;
  transferNetwork: string; // name in the target namespace; "" is the Pod network
  nodes: ReadonlySet<string>; // ids of the tree's nodes; none: everything
  vms: ReadonlySet<string>;
  network: MapDraft;
  storage: MapDraft;
  warm: boolean;
  raw: boolean; // the guests are left as they are
  power: Power;
  hooks: HookDraft[];
}

export const emptyMap: MapDraft = { existing: '', rows: [], save: false, saveAs: '', own: '' };

export const emptyPlan: PlanDraft = {
  name: '',
  description: '',
  source: '',
  target: '',
  namespace: '',
  transferNetwork: '',
  nodes: new Set(),
  vms: new Set(),
  network: emptyMap,
  storage: emptyMap,
  warm: false,
  raw: false,
  power: 'auto',
  hooks: [],
};

export interface HookRef {
  step: string;
  hook: Ref;
}

type FullVm = { id?: string; name?: string; hooks?: HookRef[] } & Record<string, unknown>;

export interface FullPlan extends Omit<Plan, 'spec'> {
  spec: Plan['spec'] & { vms: FullVm[]; skipGuestConversion?: boolean; targetPowerState?: string } & Record<string, unknown>;
}

export const isRaw = (plan: FullPlan | undefined): boolean => !!plan?.spec.skipGuestConversion;
export const powerOf = (plan: FullPlan | undefined): Power => (['on', 'off'] as const).find((power) => power === plan?.spec.targetPowerState) ?? 'auto';

// A plan that was written by hand may name its VMs; from here on they have ids.
export function withVmIds(plan: FullPlan, vms: InventoryVm[]): FullPlan {
  const idOf = (vm: FullVm): string | undefined => vm.id ?? vms.find((each) => each.name === vm.name || each.path === vm.name)?.id;
  return { ...plan, spec: { ...plan.spec, vms: plan.spec.vms.map((vm) => ({ ...vm, id: idOf(vm) })) } };
}

export const default_hook_image = 'quay.io/konveyor/hook-runner:latest';

// base64 of UTF-8, as Hooks keep playbooks.
export const encode = (text: string): string => btoa(String.fromCharCode(...new TextEncoder().encode(text)));
export const decode = (text: string): string => new TextDecoder().decode(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)));

// plan: its VMs have ids. duplicateAs: the name of the copy that is to be made of it.
export function draftOfPlan(plan: FullPlan, hooks: Hook[], maps: { network: MapDraft; storage: MapDraft }, duplicateAs?: string): PlanDraft {
  const { spec } = plan;
  const steps = (spec.vms.find((vm) => vm.hooks?.length)?.hooks ?? []).flatMap(({ step, hook }): HookDraft[] => {
    const found = hooks.find((each) => each.metadata.name === hook.name);
    if (!found || (step !== 'PreHook' && step !== 'PostHook')) return [];
    const playbook = found.spec.playbook ? decode(found.spec.playbook) : '';
    return [{ step, playbook, image: playbook ? '' : (found.spec.image ?? ''), own: duplicateAs ? '' : found.metadata.name }];
  });
  return {
    ...emptyPlan,
    name: duplicateAs ?? plan.metadata.name,
    description: spec.description ?? '',
    source: spec.provider.source.name ?? '',
    target: spec.provider.destination.name ?? '',
    namespace: spec.targetNamespace,
    transferNetwork: spec.transferNetwork?.name ?? '',
    vms: new Set(spec.vms.flatMap((vm) => vm.id ?? [])),
    network: duplicateAs ? { ...maps.network, own: '' } : maps.network,
    storage: duplicateAs ? { ...maps.storage, own: '' } : maps.storage,
    warm: spec.type ? spec.type === 'warm' : !!spec.warm,
    raw: isRaw(plan),
    power: powerOf(plan),
    hooks: steps,
  };
}

// ---- what is missing ----

export const generalMistakes = (draft: PlanDraft, taken: string[], editing: boolean): Partial<Record<keyof PlanDraft, Mistake>> => ({
  name: editing ? undefined : planNameMistake(draft.name, taken),
  source: draft.source ? undefined : 'required',
  target: draft.target ? undefined : 'required',
  namespace: nameMistake(draft.namespace),
});

export const mapComplete = (map: MapDraft, used: string[], taken: string[]): boolean => {
  if (map.existing) return true;
  if (map.save && nameMistake(map.saveAs, taken)) return false;
  const rows = usedRows(map.rows, used);
  return used.length === 0 || (complete(rows) && used.every((id) => rows.some((row) => row.source === id)));
};

// ---- the tree ----

export interface Branch {
  id: string;
  name: string;
  kind: string;
  vms: string[]; // of this node and all below it
  children: Branch[];
}

const isHidden = (node: TreeNode): boolean => node.kind === 'VM' || node.kind === 'Host';

// VMs and hosts are not shown: their VMs count for the node above.
export function branchesOf(root: TreeNode): Branch[] {
  return (root.children ?? []).filter((node) => !isHidden(node)).map(branchOf);
}

function branchOf(node: TreeNode): Branch {
  const children = (node.children ?? []).filter((child) => !isHidden(child)).map(branchOf);
  const own = (node.children ?? []).filter(isHidden).flatMap(vmsBelow);
  return {
    id: node.object?.id ?? '',
    name: node.object?.name ?? '',
    kind: node.kind,
    vms: [...own, ...children.flatMap((child) => child.vms)],
    children,
  };
}

const vmsBelow = (node: TreeNode): string[] => (node.kind === 'VM' ? [node.object?.id ?? ''] : (node.children ?? []).flatMap(vmsBelow));

export const everyId = (branch: Branch): string[] => [branch.id, ...branch.children.flatMap(everyId)];

// The VMs below chosen nodes, or undefined for all. A node that is chosen has all its children chosen too.
export function vmsOfNodes(branches: Branch[], chosen: ReadonlySet<string>): Set<string> | undefined {
  if (!chosen.size) return undefined;
  const found = new Set<string>();
  const walk = (branch: Branch): void => {
    if (chosen.has(branch.id)) branch.vms.forEach((vm) => found.add(vm));
    else branch.children.forEach(walk);
  };
  branches.forEach(walk);
  return found;
}

// Where a VM is, by the tree of clusters and hosts.
export interface Place {
  datacenter: string;
  cluster: string;
  host: string;
}

export function placesOf(root: TreeNode | undefined): Map<string, Place> {
  const places = new Map<string, Place>();
  const walk = (node: TreeNode, place: Place): void => {
    const name = node.object?.name ?? '';
    if (node.kind === 'VM') places.set(node.object?.id ?? '', place);
    const within = node.kind === 'Datacenter' ? { ...place, datacenter: name } : node.kind === 'Cluster' ? { ...place, cluster: name } : node.kind === 'Host' ? { ...place, host: name } : place;
    (node.children ?? []).forEach((child) => walk(child, within));
  };
  if (root) walk(root, { datacenter: '', cluster: '', host: '' });
  return places;
}

// ---- which of the VMs are shown ----

export interface VmFilter {
  text: string; // part of the name, of where it is, or of a concern
  power: '' | 'on' | 'off';
  assessment: string; // its worst concern's category, or ""
}

export const isOn = (vm: InventoryVm): boolean => vm.powerState === 'poweredOn' || vm.status === 'up';

export function vmMatches(filter: VmFilter, vm: InventoryVm, place: Place | undefined, worst: string): boolean {
  if (filter.power && (filter.power === 'on') !== isOn(vm)) return false;
  if (filter.assessment && filter.assessment !== worst) return false;
  const text = filter.text.trim().toLowerCase();
  const said = [vm.name, vm.path, place?.datacenter, place?.cluster, place?.host, ...(vm.concerns ?? []).map((concern) => concern.label)];
  return !text || said.some((each) => each?.toLowerCase().includes(text));
}
