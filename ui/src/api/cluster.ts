// The Kubernetes API and the inventory, through the console's server.
import type { AnyResource, Concern, Hook, Kind, Migration, NetworkMap, Plan, Provider, Ref, Resource, Session, StorageMap } from '../model/types';
import { HttpError, request, requestPage, text, type Page } from './http';

const group = 'forklift.konveyor.io/v1beta1';
const plurals: Record<Kind, string> = {
  Provider: 'providers',
  NetworkMap: 'networkmaps',
  StorageMap: 'storagemaps',
  Host: 'hosts',
  Hook: 'hooks',
  Plan: 'plans',
  Migration: 'migrations',
  ForkliftController: 'forkliftcontrollers',
};

let namespace = 'openshift-mtv';
export const setNamespace = (ns: string): void => {
  namespace = ns;
};

const path = (kind: Kind, name?: string): string =>
  `/cluster-api/apis/${group}/namespaces/${namespace}/${plurals[kind]}${name ? `/${encodeURIComponent(name)}` : ''}`;

type Draft = Record<string, unknown> & { metadata: { name?: string; generateName?: string } & Record<string, unknown> };

export const get = <T extends Resource>(kind: Kind, name: string): Promise<T> => request<T>('GET', path(kind, name));

export const create = <T extends Resource>(kind: Kind, object: Draft): Promise<T> =>
  request<T>('POST', path(kind), { apiVersion: group, kind, ...object, metadata: { namespace, ...object.metadata } });

export const patch = <T extends Resource>(kind: Kind, name: string, change: unknown): Promise<T> =>
  request<T>('PATCH', path(kind, name), change, 'application/merge-patch+json');

export const remove = (kind: Kind, name: string): Promise<unknown> => request('DELETE', path(kind, name));

export const ownerOf = (object: AnyResource | Resource, kind: Kind): Record<string, unknown> => ({
  apiVersion: group,
  kind,
  name: object.metadata.name,
  uid: object.metadata.uid,
});

export const refOf = (object: Resource): Ref => ({ name: object.metadata.name, namespace: object.metadata.namespace ?? namespace });

// ---- session ----

export const signIn = (token: string): Promise<Session> => request<Session>('POST', '/login', { token });
// How one may sign in besides with a token.
export const waysIn = (): Promise<{ oauth: boolean }> => request('GET', '/login/ways');
export const signOut = (): Promise<unknown> => request('POST', '/logout', {});
// Who is signed in, or nobody.
export const session = (): Promise<Session | undefined> => request<Session | undefined>('GET', '/session');

export interface Rules {
  incomplete: boolean;
  resourceRules: { verbs: string[]; apiGroups?: string[]; resources?: string[]; resourceNames?: string[] }[];
}

// What the account may do in the console's namespace.
export const rules = async (): Promise<Rules> =>
  (
    await request<{ status: Rules }>('POST', '/cluster-api/apis/authorization.k8s.io/v1/selfsubjectrulesreviews', {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SelfSubjectRulesReview',
      spec: { namespace },
    })
  ).status;

// Which page of a plan's VMs a stream tells (src/console/rows.h).
export interface RowsView {
  q?: string;
  states?: string[];
  sort?: string;
  descending?: boolean;
  offset?: number;
  limit?: number;
}

export const changeView = (viewer: string, plan: string | undefined, view: RowsView): Promise<unknown> =>
  request('POST', '/events/view', { viewer, plan, ...view });

// ---- running plans ----

export async function startPlan(plan: Plan): Promise<Migration> {
  return create<Migration>('Migration', {
    metadata: { name: migrationName(plan.metadata.name, Date.now()), ownerReferences: [ownerOf(plan, 'Plan')] },
    spec: { plan: { name: plan.metadata.name, namespace: plan.metadata.namespace ?? namespace, uid: plan.metadata.uid } },
  });
}

// "<plan>-<milliseconds since 1970>"; a name may have 253 characters, a plan's has at most 63.
const migrationName = (plan: string, now: number): string => `${plan}-${now}`;

export const cutover = (migration: Migration, at: Date | null): Promise<Migration> =>
  patch<Migration>('Migration', migration.metadata.name, { spec: { cutover: at ? at.toISOString().replace(/\.\d+Z$/, 'Z') : null } });

// Others may cancel at the same time, and the status is written every second: what must not have changed meanwhile is the spec alone.
export async function cancelVms(migration: Migration, vms: Ref[], tries = 3): Promise<Migration> {
  const { spec } = await get<Migration>('Migration', migration.metadata.name);
  try {
    return await request<Migration>(
      'PATCH',
      path('Migration', migration.metadata.name),
      [
        { op: 'test', path: '/spec', value: spec },
        { op: 'add', path: '/spec/cancel', value: withCancelled(spec.cancel ?? [], vms) },
      ],
      'application/json-patch+json',
    );
  } catch (error) {
    if (tries > 1 && error instanceof HttpError && error.status === 422) return cancelVms(migration, vms, tries - 1);
    throw error;
  }
}

function withCancelled(already: Ref[], vms: Ref[]): Ref[] {
  const added = vms.filter((vm) => !already.some((ref) => (ref.id ? ref.id === vm.id : ref.name === vm.name)));
  return [...already, ...added.map(({ id, name }) => ({ id, name }))];
}

export const archivePlan = (name: string): Promise<Plan> => patch<Plan>('Plan', name, { spec: { archived: true } });

// ---- secrets: written, never read ----

export interface CreatedSecret extends Resource {
  kind: 'Secret';
}

export const createSecret = (
  generateName: string,
  labels: Record<string, string>,
  stringData: Record<string, string>,
  owner?: Record<string, unknown>,
): Promise<CreatedSecret> =>
  request<CreatedSecret>('POST', `/cluster-api/api/v1/namespaces/${namespace}/secrets`, {
    apiVersion: 'v1',
    kind: 'Secret',
    type: 'Opaque',
    metadata: { generateName, namespace, labels, ownerReferences: owner ? [owner] : undefined },
    stringData,
  });

export const patchSecret = (name: string, change: unknown): Promise<unknown> =>
  request('PATCH', `/cluster-api/api/v1/namespaces/${namespace}/secrets/${encodeURIComponent(name)}`, change, 'application/merge-patch+json');

export const removeSecret = (name: string): Promise<unknown> =>
  request('DELETE', `/cluster-api/api/v1/namespaces/${namespace}/secrets/${encodeURIComponent(name)}`);

// ---- other kinds ----

interface List<T> {
  items: T[];
}

export const namespaces = async (): Promise<string[]> =>
  (await request<List<Resource>>('GET', '/cluster-api/api/v1/namespaces')).items.map((item) => item.metadata.name).sort();

// One that somebody else has made meanwhile is as good.
export async function ensureNamespace(name: string): Promise<void> {
  try {
    await request('POST', '/cluster-api/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
  } catch (error) {
    if (!(error instanceof HttpError && error.status === 409)) throw error;
  }
}

export interface PodSummary {
  name: string;
  phase: string;
  created: string;
  containers: string[];
  step: string;
}

interface Pod extends Resource {
  spec: { containers: { name: string }[] };
  status?: { phase?: string };
}

// The Pods that work, or worked, for one VM of a plan.
export async function podsOfVm(ns: string, planUid: string, vm: string): Promise<PodSummary[]> {
  const selector = encodeURIComponent(`plan=${planUid},vmID=${vm}`);
  const list = await request<List<Pod>>('GET', `/cluster-api/api/v1/namespaces/${encodeURIComponent(ns)}/pods?labelSelector=${selector}`);
  return list.items.map((pod) => ({
    name: pod.metadata.name,
    phase: pod.status?.phase ?? '',
    created: pod.metadata.creationTimestamp,
    containers: pod.spec.containers.map((container) => container.name),
    step: pod.metadata.labels?.['forklift.app'] ?? '',
  }));
}

export const podLog = (ns: string, pod: string, container: string, tail: number): Promise<string> =>
  text(
    `/cluster-api/api/v1/namespaces/${encodeURIComponent(ns)}/pods/${encodeURIComponent(pod)}/log?container=${encodeURIComponent(container)}&tailLines=${tail}`,
  );

export interface Certificate {
  fingerprint: string;
  sha256: string;
  subject?: string;
  issuer?: string;
  validTo?: string;
  pem?: string;
}

export const certificateOf = (host: string): Promise<Certificate> =>
  request<Certificate>('GET', `/get-certificate?url=${encodeURIComponent(host)}`);

// ---- inventory ----

export interface InventoryProvider {
  uid: string;
  name: string;
  namespace: string;
  type: string;
  selfLink: string;
  vmCount?: number;
  hostCount?: number;
  clusterCount?: number;
  networkCount?: number;
  datastoreCount?: number;
  storageDomainCount?: number;
  storageClassCount?: number;
}

export async function inventoryProviders(): Promise<InventoryProvider[]> {
  const byType = await request<Record<string, InventoryProvider[]>>('GET', '/inventory-api/providers?detail=1');
  return Object.entries(byType).flatMap(([type, list]) => (list ?? []).map((provider) => ({ ...provider, type })));
}

const inventory = <T>(provider: Provider, rest: string): Promise<T> =>
  request<T>('GET', `/inventory-api/providers/${provider.spec.type}/${provider.metadata.uid}/${rest}`);

// path: a collection with its query.
export const inventoryPage = <T>(provider: Provider, path: string): Promise<Page<T>> =>
  requestPage<T>(`/inventory-api/providers/${provider.spec.type}/${provider.metadata.uid}/${path}`);

export const inventoryObject = (provider: Provider, collection: string, id: string): Promise<unknown> =>
  inventory(provider, `${collection}/${encodeURIComponent(id)}`);

export interface InventoryItem {
  id: string;
  name: string;
  path?: string;
  variant?: string;
}

export interface InventoryVm extends InventoryItem {
  revision?: number;
  revisionValidated?: number;
  isTemplate?: boolean;
  powerState?: string;
  status?: string;
  host?: string;
  cluster?: string;
  networks?: { id: string }[];
  nics?: { profile?: string; network?: { id: string } }[];
  disks?: { datastore?: { id: string }; capacity?: number; file?: string }[];
  diskAttachments?: { disk: string }[];
  concerns?: Concern[];
  cpuCount?: number;
  memoryMB?: number;
  guestName?: string;
}

export interface NetworkAdapter {
  name: string;
  ipAddress: string;
  subnetMask: string;
  linkSpeed: number; // Mbit/s
  mtu: number;
}

export interface InventoryHost extends InventoryItem {
  managementServerIp?: string;
  networkAdapters?: NetworkAdapter[];
  inMaintenance?: boolean;
}

// As an oVirt Manager describes its hosts: speeds are in bit/s.
interface OvirtHost extends InventoryItem {
  address?: string;
  nics?: NetworkAdapter[];
}

export interface TreeNode {
  kind: string;
  object: { id: string; name: string; selfLink?: string; variant?: string } | null;
  children: TreeNode[] | null;
}

export interface KubeItem {
  uid: string;
  name: string;
  namespace?: string;
  object?: Resource;
}

// All of them, with what a plan is made by; vmOf has the rest of one.
export const vmsOf = (provider: Provider): Promise<InventoryVm[]> => inventory(provider, 'vms?detail=1');
export const vmOf = (provider: Provider, id: string): Promise<InventoryVm> => inventory(provider, `vms/${encodeURIComponent(id)}`);
export const hostsOf = async (provider: Provider): Promise<InventoryHost[]> => {
  if (provider.spec.type !== 'ovirt') return inventory(provider, 'hosts?detail=1');
  const hosts = await inventory<OvirtHost[]>(provider, 'hosts?detail=1');
  return hosts.map(({ address, nics, ...host }) => ({
    ...host,
    managementServerIp: address,
    networkAdapters: nics?.map((nic) => ({ ...nic, linkSpeed: Math.round(nic.linkSpeed / 1e6) })),
  }));
};
export const networksOf = (provider: Provider): Promise<InventoryItem[]> => inventory(provider, 'networks?detail=1');
export const nicProfilesOf = (provider: Provider): Promise<(InventoryItem & { network: string })[]> => inventory(provider, 'nicprofiles?detail=1');
export const disksOf = (provider: Provider): Promise<(InventoryItem & { storageDomain: string })[]> => inventory(provider, 'disks?detail=1');
export const treeOf = (provider: Provider, by: 'host' | 'vm' | 'cluster'): Promise<TreeNode> => inventory(provider, `tree/${by}`);
export const storageOf = (provider: Provider): Promise<InventoryItem[]> =>
  inventory(provider, provider.spec.type === 'ovirt' ? 'storagedomains?detail=1' : 'datastores?detail=1');

export const targetNamespacesOf = (provider: Provider): Promise<KubeItem[]> => inventory(provider, 'namespaces');
export const targetNetworksOf = (provider: Provider): Promise<KubeItem[]> => inventory(provider, 'networkattachmentdefinitions');
export const storageClassesOf = (provider: Provider): Promise<KubeItem[]> => inventory(provider, 'storageclasses?detail=1');

export const isDefaultClass = (item: KubeItem): boolean => {
  const annotations = item.object?.metadata.annotations ?? {};
  return (
    annotations['storageclass.kubevirt.io/is-default-virt-class'] === 'true' ||
    annotations['storageclass.kubernetes.io/is-default-class'] === 'true'
  );
};

export type { Hook, NetworkMap, StorageMap };
