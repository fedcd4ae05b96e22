// Maps from sources to targets, as people edit them: a row for each source, with what stands for it on the other side.
import type { InventoryVm } from '../api/cluster';
import type { NetworkMap, Provider, StorageMap } from './types';

export type MapKind = 'network' | 'storage';

type Entry = NonNullable<NetworkMap['spec']['map']>[number] | NonNullable<StorageMap['spec']['map']>[number];

export interface MapRow {
  source: string; // id
  target: string; // pod, ignored, namespace/name of a network, or a storage class
  was?: Entry; // as the map that is edited has it: what the console does not show of it stays
}

export const pod = 'pod';
export const ignored = 'ignored';

const sourceOf = ({ source }: Entry): string => source.id ?? source.name ?? '';

function targetOf({ destination }: Entry): string {
  if ('storageClass' in destination) return destination.storageClass;
  return destination.type === 'multus' ? `${destination.namespace ?? ''}/${destination.name ?? ''}` : destination.type;
}

export const rowsOf = (map: NetworkMap | StorageMap): MapRow[] =>
  (map.spec.map ?? []).map((was: Entry) => ({ source: sourceOf(was), target: targetOf(was), was }));

const sourceRef = ({ source, was }: MapRow): Entry['source'] => (was && sourceOf(was) === source ? was.source : { id: source });
const isAsItWas = ({ target, was }: MapRow): boolean => !!was && targetOf(was) === target;

function networkTarget(target: string) {
  if (target === pod || target === ignored) return { type: target };
  const [namespace, name] = target.split('/');
  return { type: 'multus', namespace, name };
}

export const mapSpec = (kind: MapKind, rows: MapRow[]): Entry[] =>
  rows.map((row) => ({
    source: sourceRef(row),
    destination: isAsItWas(row) ? row.was!.destination : kind === 'network' ? networkTarget(row.target) : { storageClass: row.target },
  })) as Entry[];

// Rows of maps that were written by hand may name their source; from here on it is its id.
export const withIds = (rows: MapRow[], sources: { value: string; label: string }[]): MapRow[] =>
  rows.map((row) => {
    if (sources.some((each) => each.value === row.source)) return row;
    const named = sources.find((each) => each.label === row.source);
    return named ? { ...row, source: named.value, was: row.was && ({ ...row.was, source: { id: named.value } } as Entry) } : row;
  });

export const complete = (rows: MapRow[]): boolean => rows.length > 0 && rows.every((row) => row.source && row.target);

// Maps of a plan are its own: they are not offered for other plans.
export const isShared = (map: NetworkMap | StorageMap): boolean => map.metadata.annotations?.['forklift.konveyor.io/shared'] !== 'false';

export const isFor = (map: NetworkMap | StorageMap, source: string | undefined, target: string | undefined): boolean =>
  map.spec.provider.source.name === source && map.spec.provider.destination.name === target;

// The networks and datastores (storage domains) that VMs use, each once. profiles and disks: oVirt's way to them.
export function usedBy(
  kind: MapKind,
  provider: Provider,
  vms: InventoryVm[],
  profiles: Map<string, string>,
  disks: Map<string, string>,
): string[] {
  const ids = vms.flatMap((vm): (string | undefined)[] => {
    if (provider.spec.type === 'ovirt')
      return kind === 'network' ? (vm.nics ?? []).map((nic) => profiles.get(nic.profile ?? '')) : (vm.diskAttachments ?? []).map((each) => disks.get(each.disk));
    return kind === 'network' ? (vm.networks ?? []).map((network) => network.id) : (vm.disks ?? []).map((disk) => disk.datastore?.id);
  });
  return [...new Set(ids.filter((id): id is string => !!id))];
}

// Rows for everything that is used: as they were where they were, else the default. Only one network may fall to the Pod network
// by itself; a person has to say what stands for the others. Rows of what is no longer used stay, in case it is chosen again.
export function prefill(kind: MapKind, used: string[], before: MapRow[], fallback: string): MapRow[] {
  const kept = before.filter((row) => row.target || !used.includes(row.source));
  const added = used.filter((source) => !kept.some((row) => row.source === source));
  const taken = kind === 'network' && kept.some((row) => used.includes(row.source) && row.target === fallback);
  return [...kept, ...added.map((source, n) => ({ source, target: kind === 'network' && (taken || n > 0) ? '' : fallback }))];
}

export const usedRows = (rows: MapRow[], used: string[]): MapRow[] => rows.filter((row) => used.includes(row.source));
