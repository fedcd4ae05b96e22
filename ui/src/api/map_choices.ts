// What there is to map between two providers, from the inventory.
import { ignored, pod, type MapKind } from '../model/mapping';
import type { Provider } from '../model/types';
import type { Choice } from '../parts/fields';
import { texts } from '../texts';
import * as cluster from './cluster';

export interface MapChoices {
  sources: Choice[];
  targets: Choice[];
  fallback: string;
}

// targetNamespace: only networks that VMs of that namespace can use.
export async function mapChoices(kind: MapKind, source: Provider, target: Provider, targetNamespace?: string): Promise<MapChoices> {
  const label = (item: cluster.InventoryItem): Choice => ({ value: item.id, label: item.name, description: item.path });
  const byLabel = (a: Choice, b: Choice): number => a.label.localeCompare(b.label);
  if (kind === 'network') {
    const [networks, definitions] = await Promise.all([cluster.networksOf(source), cluster.targetNetworksOf(target)]);
    const usable = definitions.filter((item) => !targetNamespace || item.namespace === targetNamespace || item.namespace === 'default');
    return {
      sources: networks.filter((network) => network.variant !== 'DvSwitch').map(label).sort(byLabel),
      targets: [
        { value: pod, label: texts.mappings.podNetwork },
        ...usable.map((item) => ({ value: `${item.namespace}/${item.name}`, label: `${item.namespace} / ${item.name}` })).sort(byLabel),
        { value: ignored, label: texts.mappings.ignored },
      ],
      fallback: pod,
    };
  }
  const [stores, classes] = await Promise.all([cluster.storageOf(source), cluster.storageClassesOf(target)]);
  return {
    sources: stores.map(label).sort(byLabel),
    targets: classes.map((item) => ({ value: item.name, label: item.name })).sort(byLabel),
    fallback: (classes.find(cluster.isDefaultClass) ?? classes[0])?.name ?? '',
  };
}

