// What the inventory page shows of each kind of object of each type of provider, and the query that asks for a page of it.
export interface Column {
  key: string; // a dotted path in the object
  format?: 'bytes' | 'mebibytes' | 'power' | 'concerns' | 'truth' | 'cpus';
  unsorted?: boolean; // the server cannot sort by it
}

export interface InventoryKind {
  collection: string;
  columns: Column[];
}

const name: Column = { key: 'name' };
const path: Column = { key: 'path', unsorted: true };
const kind = (collection: string, ...columns: Column[]): InventoryKind => ({ collection, columns: [name, ...columns] });
const concerns: Column = { key: 'concerns', format: 'concerns', unsorted: true };

// The first of a type is shown first.
export const kindsOf: Record<string, InventoryKind[]> = {
  vsphere: [
    kind('vms', concerns, { key: 'powerState', format: 'power' }, { key: 'cpuCount' }, { key: 'memoryMB', format: 'mebibytes' }, { key: 'storageUsed', format: 'bytes' }, path),
    kind('hosts', { key: 'inMaintenance', format: 'truth' }, path),
    kind('clusters', path),
    kind('networks', { key: 'variant' }, path),
    kind('datastores', { key: 'type' }, { key: 'capacity', format: 'bytes' }, { key: 'free', format: 'bytes' }, path),
    kind('datacenters', path),
    kind('folders', path),
  ],
  ovirt: [
    kind('vms', concerns, { key: 'status', format: 'power' }, { key: 'cpuCount', format: 'cpus', unsorted: true }, { key: 'memory', format: 'bytes' }, path),
    kind('hosts', { key: 'status' }, path),
    kind('clusters', path),
    kind('networks', path),
    kind('nicprofiles'),
    kind('storagedomains', { key: 'type' }, { key: 'capacity', format: 'bytes' }, { key: 'free', format: 'bytes' }, path),
    kind('disks', { key: 'status' }, { key: 'provisionedSize', format: 'bytes' }),
    kind('datacenters'),
  ],
  openshift: [
    kind('vms', { key: 'namespace' }),
    kind('namespaces'),
    kind('storageclasses'),
    kind('networkattachmentdefinitions', { key: 'namespace' }),
    kind('persistentvolumeclaims', { key: 'namespace' }),
    kind('datavolumes', { key: 'namespace' }),
  ],
};

export const concernCategories = ['Critical', 'Warning', 'Advisory'] as const;

export interface InventoryQuery {
  search: string;
  concern: string; // a category, or ""
  concernText: string;
  sort?: { key: string; descending: boolean };
  offset: number;
  limit: number;
}

// A comma ends a term of q=, and "|" a value, so what follows one is not looked for.
const term = (field: string, operator: string, text: string): string => `${field}${operator}${text.split(/[,|]/)[0]!.trim()}`;

// The server does the filtering, the sorting and the counting.
export function inventoryPath(collection: string, query: InventoryQuery): string {
  const parameters = new URLSearchParams({ detail: '4', total: 'true', limit: String(query.limit), offset: String(query.offset) });
  const terms = [
    query.search.trim() && term('name', '~', query.search),
    query.concern && term('concerns.category', '=', query.concern),
    query.concernText.trim() && term('concerns.label', '~', query.concernText),
    query.sort && `${query.sort.descending ? '-' : ''}${query.sort.key}`,
  ].filter(Boolean);
  if (terms.length) parameters.set('q', terms.join(','));
  return `${collection}?${parameters.toString()}`;
}

export function valueAt(object: unknown, key: string): unknown {
  return key.split('.').reduce<unknown>((at, part) => (at && typeof at === 'object' ? (at as Record<string, unknown>)[part] : undefined), object);
}

// As oVirt has them: sockets of cores of threads.
export function cpusOf(object: unknown): number {
  const count = (key: string): number => Number(valueAt(object, key)) || 1;
  return count('cpuSockets') * count('cpuCores') * count('cpuThreads');
}
