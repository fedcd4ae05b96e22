// Making a plan, changing one that has never run, or copying one: eight steps, each unlocked by the ones before it.
import { Alert, PageSection, Title, Wizard, WizardStep } from '@patternfly/react-core';
import { useEffect, useMemo, useState } from 'react';
import { Navigate, useNavigate, useParams } from 'react-router-dom';
import * as cluster from '../../api/cluster';
import { messageOf } from '../../api/http';
import { mapChoices, type MapChoices } from '../../api/map_choices';
import { transferNetworkIn } from '../../api/providers';
import { useStore, type Store } from '../../api/store';
import { useFetched } from '../../api/use';
import { isFor, isShared, prefill, rowsOf, usedBy, usedRows, withIds, type MapKind } from '../../model/mapping';
import { copyName } from '../../model/names';
import type { NetworkMap, Provider, StorageMap } from '../../model/types';
import { Loading } from '../../parts/states';
import { texts } from '../../texts';
import {
  branchesOf,
  draftOfPlan,
  emptyMap,
  emptyPlan,
  generalMistakes,
  mapComplete,
  placesOf,
  vmsOfNodes,
  withVmIds,
  type FullPlan,
  type MapDraft,
  type PlanDraft,
} from './draft';
import { Hooks, Maps, Review, Type } from './more_steps';
import { savePlan } from './save';
import { Filter, General, Vms } from './steps';

const t = texts.wizard;
type Mode = 'create' | 'edit' | 'duplicate';

export function PlanWizardPage({ mode }: { mode: Mode }) {
  const { name } = useParams();
  const store = useStore();
  const plan = useFetched(mode === 'create' ? undefined : name, () => cluster.get<FullPlan>('Plan', name!));
  const provider = store.get('Provider', plan.data?.spec.provider.source.name);
  const byName = !!plan.data?.spec.vms.some((vm) => !vm.id); // written by hand: their ids are looked up
  const vms = useFetched(byName ? provider?.metadata.uid : undefined, () => cluster.vmsOf(provider!));
  const problem = plan.problem ?? vms.problem;

  if (!store.synced) return <Loading title={texts.common.loading} />;
  if (mode === 'create') return <PlanWizard key="create" mode={mode} start={startOf(store)} />;
  if (problem)
    return (
      <PageSection>
        <Alert isInline variant="danger" title={problem} />
      </PageSection>
    );
  if (!plan.data || (byName && provider && !vms.data)) return <Loading title={texts.plan.loading} />;
  if (mode === 'edit' && store.get('Plan', name)?.status?.started) return <Navigate to={`/plans/${name}`} replace />;
  const duplicateAs =
    mode === 'duplicate'
      ? copyName(
          plan.data.metadata.name,
          store.list('Plan').map((each) => each.metadata.name),
        )
      : undefined;
  const before = withVmIds(plan.data, vms.data ?? []);
  return <PlanWizard key={`${mode}/${name}`} mode={mode} start={draftOfPlan(before, store.list('Hook'), mapsOf(store, before), duplicateAs)} before={before} />;
}

const isSource = (provider: Provider): boolean => provider.spec.type !== 'openshift';

// The only choice that there is, is made.
function startOf(store: Store): PlanDraft {
  const only = (list: Provider[]): string => (list.length === 1 ? list[0]!.metadata.name : '');
  const providers = store.list('Provider');
  return { ...emptyPlan, source: only(providers.filter(isSource)), target: only(providers.filter((p) => !isSource(p))) };
}

// The maps of a plan: shared ones are used as they are, its own are edited.
function mapsOf(store: Store, plan: FullPlan): { network: MapDraft; storage: MapDraft } {
  const draft = (map: NetworkMap | StorageMap | undefined): MapDraft =>
    !map ? emptyMap : isShared(map) ? { ...emptyMap, existing: map.metadata.name } : { ...emptyMap, rows: rowsOf(map), own: map.metadata.name };
  return { network: draft(store.get('NetworkMap', plan.spec.map.network?.name)), storage: draft(store.get('StorageMap', plan.spec.map.storage?.name)) };
}

const hooksDiffer = (plan: FullPlan | undefined): boolean => new Set(plan?.spec.vms.map((vm) => JSON.stringify(vm.hooks ?? []))).size > 1;

function PlanWizard({ mode, start, before }: { mode: Mode; start: PlanDraft; before?: FullPlan }) {
  const store = useStore();
  const navigate = useNavigate();
  const editing = mode === 'edit';
  const [draft, setDraft] = useState(start);
  const [dirty, setDirty] = useState(false);
  const [by, setBy] = useState<'host' | 'vm' | 'cluster'>();
  const [saving, setSaving] = useState(false);
  const [problem, setProblem] = useState<string>();

  const source = store.get('Provider', draft.source);
  const target = store.get('Provider', draft.target);
  const ovirt = source?.spec.type === 'ovirt';
  const trees: { by: 'host' | 'vm' | 'cluster'; label: string }[] = ovirt
    ? [{ by: 'cluster', label: t.byClusters }]
    : [
        { by: 'host', label: t.byClusters },
        { by: 'vm', label: t.byFolders },
      ];
  const treeBy = by ?? trees[0]!.by;

  const from = source?.metadata.uid;
  const to = target?.metadata.uid;
  const vms = useFetched(from, () => cluster.vmsOf(source!));
  const tree = useFetched(from && `${from}${treeBy}`, () => cluster.treeOf(source!, treeBy));
  const hosts = useFetched(from, () => cluster.treeOf(source!, ovirt ? 'cluster' : 'host'));
  const profiles = useFetched(ovirt ? from : undefined, () => cluster.nicProfilesOf(source!));
  const disks = useFetched(ovirt ? from : undefined, () => cluster.disksOf(source!));
  const namespaces = useFetched(to, () => cluster.targetNamespacesOf(target!));
  const networks = useFetched(to, () => cluster.targetNetworksOf(target!));
  const networkChoices = useFetched(from && to && `network${from}${to}${draft.namespace}`, () => mapChoices('network', source!, target!, draft.namespace));
  const storageChoices = useFetched(from && to && `storage${from}${to}`, () => mapChoices('storage', source!, target!));

  const branches = useMemo(() => tree.data && branchesOf(tree.data), [tree.data]);
  const places = useMemo(() => placesOf(hosts.data), [hosts.data]);
  const chosen = useMemo(() => (vms.data ?? []).filter((vm) => draft.vms.has(vm.id)), [vms.data, draft.vms]);
  const used = (kind: MapKind): string[] =>
    source
      ? usedBy(kind, source, chosen, new Map((profiles.data ?? []).map((p) => [p.id, p.network])), new Map((disks.data ?? []).map((d) => [d.id, d.storageDomain])))
      : [];

  const taken = store.list('Plan').map((plan) => plan.metadata.name);
  const names = namespaces.data?.map((item) => item.name);
  const newNamespace = !!names && !!draft.namespace && !names.includes(draft.namespace);
  const mistakes = generalMistakes(draft, taken, editing);

  // What follows from an earlier choice is chosen anew when that changes.
  function change(part: Partial<PlanDraft>) {
    setDirty(true);
    setDraft((old) => {
      const next = { ...old, ...part };
      if (part.source !== undefined && part.source !== old.source) Object.assign(next, { vms: new Set(), nodes: new Set(), network: emptyMap, storage: emptyMap });
      if (part.target !== undefined && part.target !== old.target) Object.assign(next, { network: emptyMap, storage: emptyMap, transferNetwork: '' });
      if (part.namespace !== undefined && part.namespace !== old.namespace) {
        const transferNetwork = target ? transferNetworkIn(target, part.namespace, networks.data ?? []) : '';
        Object.assign(next, { transferNetwork, network: { ...next.network, rows: [] } });
      }
      return next;
    });
  }

  // A row for each network and datastore that the chosen VMs use.
  const usedNetworks = used('network').join();
  const usedStorage = used('storage').join();
  useEffect(() => {
    const filled = (kind: MapKind, map: MapDraft, list: string, choices: MapChoices | undefined): MapDraft => ({
      ...map,
      rows: prefill(kind, list ? list.split(',') : [], withIds(map.rows, choices?.sources ?? []), choices?.fallback ?? ''),
    });
    setDraft((old) => ({
      ...old,
      network: filled('network', old.network, usedNetworks, networkChoices.data),
      storage: filled('storage', old.storage, usedStorage, storageChoices.data),
    }));
  }, [usedNetworks, usedStorage, networkChoices.data, storageChoices.data]);

  // Closing the window, or following a link, would lose what was entered.
  useEffect(() => {
    if (!dirty) return;
    const ask = (event: BeforeUnloadEvent) => event.preventDefault();
    const follow = (event: MouseEvent) => {
      const link = event.target instanceof Element && event.target.closest('a[href]:not([href^="#"])');
      if (!link || window.confirm(t.leave)) return;
      event.preventDefault();
      event.stopPropagation();
    };
    window.addEventListener('beforeunload', ask);
    document.addEventListener('click', follow, true);
    return () => {
      window.removeEventListener('beforeunload', ask);
      document.removeEventListener('click', follow, true);
    };
  }, [dirty]);

  async function finish() {
    setSaving(true);
    setProblem(undefined);
    try {
      const exact = {
        ...draft,
        network: { ...draft.network, rows: usedRows(draft.network.rows, used('network')) },
        storage: { ...draft.storage, rows: usedRows(draft.storage.rows, used('storage')) },
      };
      await savePlan(exact, { source: source!, target: target! }, newNamespace, before, editing);
      navigate(`/plans/${draft.name}`);
    } catch (error) {
      setProblem(messageOf(error));
      setSaving(false);
    }
  }

  const shared = (kind: 'NetworkMap' | 'StorageMap') => store.list(kind).filter((map) => isShared(map) && isFor(map, draft.source, draft.target));
  const mapNames = (kind: 'NetworkMap' | 'StorageMap') => store.list(kind).map((map) => map.metadata.name);
  const general = Object.values(mistakes).every((mistake) => !mistake);
  const loaded = !!vms.data && (!ovirt || (!!profiles.data && !!disks.data)); // else nothing seems to need a mapping, and a plan's own would be emptied
  const some = general && loaded && draft.vms.size > 0;
  const networked = some && mapComplete(draft.network, used('network'), mapNames('NetworkMap'));
  const stored = networked && mapComplete(draft.storage, used('storage'), mapNames('StorageMap'));
  const title = mode === 'create' ? t.createTitle : editing ? t.editTitle(draft.name) : t.duplicateTitle(before?.metadata.name ?? '');
  const leave = () => {
    if (!dirty || window.confirm(t.leave)) navigate(editing ? `/plans/${draft.name}` : '/plans');
  };

  return (
    <PageSection isFilled hasBodyWrapper={false} className="gantry-wizard">
      <Title headingLevel="h1" className="gantry-mb-md">
        {title}
      </Title>
      <Wizard onClose={leave} onSave={() => void finish()} navAriaLabel={title}>
        <WizardStep id="general" name={t.general} footer={{ isNextDisabled: !general }}>
          <General draft={draft} change={change} providers={store.list('Provider')} namespaces={names} networks={networks.data} mistakes={mistakes} editing={editing} />
        </WizardStep>
        <WizardStep id="filter" name={t.filter} isDisabled={!general}>
          <Filter
            draft={draft}
            change={change}
            trees={trees}
            by={treeBy}
            onBy={(next) => {
              setBy(next);
              change({ nodes: new Set() });
            }}
            branches={branches}
            problem={tree.problem}
          />
        </WizardStep>
        <WizardStep id="vms" name={t.vms} isDisabled={!general} footer={{ isNextDisabled: !some }}>
          <Vms draft={draft} change={change} vms={vms.data} places={places} within={branches && vmsOfNodes(branches, draft.nodes)} problem={vms.problem} />
        </WizardStep>
        <WizardStep id="network" name={t.networkMap} isDisabled={!some} footer={{ isNextDisabled: !networked }}>
          <Maps
            kind="network"
            map={draft.network}
            shared={shared('NetworkMap')}
            taken={mapNames('NetworkMap')}
            ovirt={ovirt}
            choices={networkChoices.data}
            problem={networkChoices.problem}
            used={used('network')}
            onChange={(network) => change({ network })}
          />
        </WizardStep>
        <WizardStep id="storage" name={t.storageMap} isDisabled={!networked} footer={{ isNextDisabled: !stored }}>
          <Maps
            kind="storage"
            map={draft.storage}
            shared={shared('StorageMap')}
            taken={mapNames('StorageMap')}
            ovirt={ovirt}
            choices={storageChoices.data}
            problem={storageChoices.problem}
            used={used('storage')}
            onChange={(storage) => change({ storage })}
          />
        </WizardStep>
        <WizardStep id="type" name={t.type} isDisabled={!stored}>
          <Type draft={draft} change={change} vms={chosen} ovirt={ovirt} />
        </WizardStep>
        <WizardStep id="hooks" name={t.hooks} isDisabled={!stored}>
          <Hooks draft={draft} change={change} differing={hooksDiffer(before)} />
        </WizardStep>
        <WizardStep id="review" name={t.review} isDisabled={!stored} footer={{ nextButtonText: saving ? t.saving : t.finish, isNextDisabled: saving, isBackDisabled: saving }}>
          <Review draft={draft} vms={chosen} newNamespace={newNamespace} networks={networkChoices.data} stores={storageChoices.data} problem={problem} />
        </WizardStep>
      </Wizard>
    </PageSection>
  );
}
