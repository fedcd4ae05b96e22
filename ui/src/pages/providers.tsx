// Where VMs come from and go to: a tab for each kind of provider.
import { Button, Dropdown, DropdownItem, DropdownList, Label, MenuToggle, PageSection, Spinner, Tab, Tabs, TabTitleText, Title, Toolbar, ToolbarContent, ToolbarItem } from '@patternfly/react-core';
import EllipsisVIcon from '@patternfly/react-icons/dist/esm/icons/ellipsis-v-icon';
import ServerIcon from '@patternfly/react-icons/dist/esm/icons/server-icon';
import { ExpandableRowContent, Table, Tbody, Td, Th, Thead, Tr } from '@patternfly/react-table';
import { useState, type ReactNode } from 'react';
import { Link, useNavigate, useParams } from 'react-router-dom';
import * as cluster from '../api/cluster';
import { setTransferNetwork, transferNetworkOf } from '../api/providers';
import { useDenied } from '../api/rights';
import { useStore } from '../api/store';
import { useFetched } from '../api/use';
import { condition, health, isReady } from '../model/conditions';
import type { Key } from '../model/pages';
import type { Provider } from '../model/types';
import { HealthLabel } from '../parts/conditions';
import { Confirm } from '../parts/confirm';
import { GuardedButton } from '../parts/guarded';
import { Choose } from '../parts/fields';
import { ProviderDialog } from '../parts/provider_dialog';
import { useSortedPages } from '../parts/sorted_pages';
import { Empty, Loading, Troubles } from '../parts/states';
import { texts } from '../texts';

const t = texts.providers;

interface Column {
  title: string;
  count: (found: cluster.InventoryProvider) => number | undefined;
  link?: boolean;
  list?: Listed; // opens a list of them
}

type Listed = 'networks' | 'classes';

// Of a provider that the inventory does not know.
const unknown: cluster.InventoryProvider = { uid: '', name: '', namespace: '', type: '', selfLink: '' };

const columns: Record<string, Column[]> = {
  vsphere: [
    { title: t.clusters, count: (p) => p.clusterCount },
    { title: t.hosts, count: (p) => p.hostCount, link: true },
    { title: t.vms, count: (p) => p.vmCount },
    { title: t.networks, count: (p) => p.networkCount },
    { title: t.datastores, count: (p) => p.datastoreCount },
  ],
  ovirt: [
    { title: t.clusters, count: (p) => p.clusterCount },
    { title: t.hosts, count: (p) => p.hostCount, link: true },
    { title: t.vms, count: (p) => p.vmCount },
    { title: t.networks, count: (p) => p.networkCount },
    { title: t.storageDomains, count: (p) => p.storageDomainCount },
  ],
  openshift: [
    { title: t.vms, count: (p) => p.vmCount },
    { title: t.networks, count: (p) => p.networkCount, list: 'networks' },
    { title: t.storageClasses, count: (p) => p.storageClassCount, list: 'classes' },
  ],
};

const order = ['vsphere', 'ovirt', 'openshift'];
const isHostProvider = (provider: Provider): boolean => provider.spec.type === 'openshift' && !provider.spec.url;

type Dialog = { kind: 'add' } | { kind: 'edit' | 'remove' | 'network'; provider: Provider };

export function ProvidersPage() {
  const store = useStore();
  const navigate = useNavigate();
  const params = useParams();
  const denied = useDenied();
  const [dialog, setDialog] = useState<Dialog>();
  const close = () => setDialog(undefined);

  const providers = store.list('Provider');
  // The counts are asked for anew when a provider comes, goes or changes its state.
  const key = store.synced ? providers.map((p) => `${p.metadata.uid}${p.status?.phase ?? ''}${isReady(p)}`).join() : undefined;
  const inventory = useFetched(key, cluster.inventoryProviders);
  const present = [...new Set(providers.map((p) => p.spec.type))].sort((a, b) => order.indexOf(a) - order.indexOf(b));
  const type = params.type && present.includes(params.type) ? params.type : (present[0] ?? 'vsphere');
  const newest = providers
    .filter((p) => p.spec.settings?.vddkInitImage)
    .sort((a, b) => b.metadata.creationTimestamp.localeCompare(a.metadata.creationTimestamp))[0];
  const add = (
    <GuardedButton why={denied('create', 'Provider', 'Secret')} onClick={() => setDialog({ kind: 'add' })}>
      {t.add}
    </GuardedButton>
  );

  return (
    <>
      <PageSection>
        <Title headingLevel="h1">{t.title}</Title>
        <Troubles kinds={['Provider']} />
      </PageSection>
      {present.length > 0 && (
        <PageSection type="tabs">
          <Tabs activeKey={type} onSelect={(_event, to) => navigate(`/providers/${to}`)} usePageInsets aria-label={t.title}>
            {present.map((each) => (
              <Tab key={each} eventKey={each} title={<TabTitleText>{t.types[each] ?? each}</TabTitleText>} tabContentId="tab-content" />
            ))}
          </Tabs>
        </PageSection>
      )}
      <PageSection isFilled id="tab-content" role={present.length ? 'tabpanel' : undefined} aria-label={present.length ? t.types[type] : undefined}>
        {!store.synced ? (
          <Loading title={t.loading} />
        ) : !providers.length ? (
          <Empty title={t.emptyTitle} body={t.emptyBody} icon={ServerIcon} actions={add} />
        ) : (
          <ProviderTable key={type} type={type} providers={providers.filter((p) => p.spec.type === type)} counts={inventory.data ?? []} add={add} open={setDialog} />
        )}
      </PageSection>
      {(dialog?.kind === 'add' || dialog?.kind === 'edit') && (
        <ProviderDialog
          provider={dialog.kind === 'edit' ? dialog.provider : undefined}
          type={dialog.kind === 'edit' ? type : type === 'openshift' ? 'vsphere' : type}
          taken={providers.map((p) => p.metadata.name)}
          vddk={newest?.spec.settings?.vddkInitImage}
          onClose={close}
        />
      )}
      {dialog?.kind === 'remove' && (
        <Confirm
          title={t.removeTitle(dialog.provider.metadata.name)}
          confirm={texts.common.remove}
          danger
          onConfirm={() => cluster.remove('Provider', dialog.provider.metadata.name)}
          onClose={close}
        >
          {t.removeBody}
        </Confirm>
      )}
      {dialog?.kind === 'network' && <NetworkDialog provider={dialog.provider} onClose={close} />}
    </>
  );
}

interface TableProps {
  type: string;
  providers: Provider[];
  counts: cluster.InventoryProvider[];
  add: ReactNode;
  open: (dialog: Dialog) => void;
}

const endpoint = (provider: Provider): string => (isHostProvider(provider) ? t.thisCluster : (provider.spec.url ?? ''));
const networkOf = (provider: Provider): string => transferNetworkOf(provider) || texts.plan.podNetwork;

// The providers of one type.
function ProviderTable({ type, providers, counts, add, open: openDialog }: TableProps) {
  const denied = useDenied();
  const [selected, setSelected] = useState<string>();
  const [open, setOpen] = useState<{ uid: string; list: Listed }>();
  const foundOf = (provider: Provider) => counts.find((each) => each.uid === provider.metadata.uid);
  const clusters = type === 'openshift';
  const counted = columns[type] ?? [];
  const heads: { title: string; key: Key<Provider>; unsorted?: boolean }[] = [
    { title: texts.common.name, key: (p) => p.metadata.name },
    ...counted.map(({ title, count }) => ({ title, key: (p: Provider) => count(foundOf(p) ?? unknown) ?? -1, unsorted: title !== t.vms })),
    ...(clusters ? [{ title: t.defaultNetwork, key: networkOf }] : []),
    { title: texts.common.status, key: (p) => texts.health[health(p)] },
  ];
  const pages = useSortedPages(
    providers,
    heads.map(({ key }) => key),
  );
  const chosen = providers.find((p) => p.metadata.uid === selected);
  const select = (
    <GuardedButton
      variant="secondary"
      why={denied('patch', 'Provider') ?? (!chosen ? t.selectProvider : isReady(chosen) ? undefined : t.selectReady)}
      onClick={() => chosen && openDialog({ kind: 'network', provider: chosen })}
    >
      {t.migrationNetwork}
    </GuardedButton>
  );

  return (
    <>
      <Toolbar>
        <ToolbarContent>
          <ToolbarItem>{pages.search}</ToolbarItem>
          {clusters && <ToolbarItem>{select}</ToolbarItem>}
          <ToolbarItem align={{ default: 'alignEnd' }}>{add}</ToolbarItem>
        </ToolbarContent>
      </Toolbar>
      {!pages.found ? (
        pages.nothing
      ) : (
        <Table aria-label={t.table(t.types[type] ?? type)} variant="compact" gridBreakPoint="grid-lg" isExpandable={clusters}>
          <Thead>
            <Tr>
              {clusters && <Th screenReaderText={t.selectProvider} />}
              {heads.map(({ title, unsorted }, index) => (
                <Th key={title} sort={unsorted ? undefined : pages.sortOf(index)} modifier="nowrap">
                  {title}
                </Th>
              ))}
              <Th screenReaderText={texts.common.actions} />
            </Tr>
          </Thead>
          {pages.rows.map((provider, index) => {
            const found = foundOf(provider);
            const list = open?.uid === provider.metadata.uid ? open.list : undefined;
            const toggle = (which: Listed) => setOpen(list === which ? undefined : { uid: provider.metadata.uid, list: which });
            return (
              <Tbody key={provider.metadata.uid} isExpanded={!!list}>
                <Tr>
                  {clusters && (
                    <Td
                      select={{
                        rowIndex: index,
                        variant: 'radio',
                        isSelected: selected === provider.metadata.uid,
                        isDisabled: !isReady(provider),
                        onSelect: () => setSelected(provider.metadata.uid),
                        props: { 'aria-label': provider.metadata.name },
                      }}
                    />
                  )}
                  <Td dataLabel={texts.common.name} className="gantry-break">
                    <Link to={`/providers/${type}/${provider.metadata.name}`}>{provider.metadata.name}</Link>
                    <div className="gantry-subtle">{endpoint(provider)}</div>
                  </Td>
                  {counted.map((column) => (
                    <Td key={column.title} dataLabel={column.title} className="gantry-numbers">
                      <Count column={column} provider={provider} found={found} isOpen={!!column.list && list === column.list} toggle={toggle} />
                    </Td>
                  ))}
                  {clusters && (
                    <Td dataLabel={t.defaultNetwork} className="gantry-break">
                      {networkOf(provider)}
                    </Td>
                  )}
                  <Td dataLabel={texts.common.status}>
                    <HealthLabel object={provider} />
                  </Td>
                  <Td isActionCell>
                    <ProviderMenu provider={provider} open={openDialog} />
                  </Td>
                </Tr>
                {list && (
                  <Tr isExpanded>
                    <Td colSpan={8}>
                      <ExpandableRowContent>
                        <Listing provider={provider} list={list} />
                      </ExpandableRowContent>
                    </Td>
                  </Tr>
                )}
              </Tbody>
            );
          })}
        </Table>
      )}
      {pages.pager}
    </>
  );
}

interface CountProps {
  column: Column;
  provider: Provider;
  found: cluster.InventoryProvider | undefined;
  isOpen: boolean;
  toggle: (list: Listed) => void;
}

function Count({ column, provider, found, isOpen, toggle }: CountProps) {
  const count = found && column.count(found);
  const label = `${count} ${column.title}: ${provider.metadata.name}`;
  if (!count || !isReady(provider)) return <>{count ?? '–'}</>;
  if (column.link)
    return (
      <Link to={`/providers/${provider.spec.type}/${provider.metadata.name}`} aria-label={label}>
        {count}
      </Link>
    );
  if (column.list)
    return (
      <Button variant="link" isInline aria-label={label} aria-expanded={isOpen} onClick={() => toggle(column.list!)}>
        {count}
      </Button>
    );
  return <>{count}</>;
}

// What there is of a cluster's networks or storage classes, with the one that is used unless something else is said.
function Listing({ provider, list }: { provider: Provider; list: Listed }) {
  const found = useFetched(`${provider.metadata.uid}${list}`, () => (list === 'networks' ? cluster.targetNetworksOf(provider) : cluster.storageClassesOf(provider)));
  if (found.problem) return <p role="alert">{found.problem}</p>;
  if (!found.data) return <Spinner size="md" aria-label={texts.common.loading} />;
  const chosen = transferNetworkOf(provider);
  const networks = found.data.map((item) => `${item.namespace}/${item.name}`);
  const rows =
    list === 'networks'
      ? [{ name: texts.plan.podNetwork, isDefault: !chosen }, ...networks.map((name) => ({ name, isDefault: name === chosen }))]
      : found.data.map((item) => ({ name: item.name, isDefault: cluster.isDefaultClass(item) }));
  return (
    <ul aria-label={list === 'networks' ? t.networks : t.storageClasses}>
      {rows.map(({ name, isDefault }) => (
        <li key={name} className="gantry-break">
          {name}{' '}
          {isDefault && (
            <Label isCompact status="success">
              {list === 'networks' ? t.isMigrationNetwork : t.isDefaultClass}
            </Label>
          )}
        </li>
      ))}
    </ul>
  );
}

function ProviderMenu({ provider, open }: { provider: Provider; open: (dialog: Dialog) => void }) {
  const store = useStore();
  const denied = useDenied();
  const [expanded, setExpanded] = useState(false);
  const name = provider.metadata.name;
  const inUse = store
    .list('Plan')
    .some((plan) => condition(plan, 'Executing') && [plan.spec.provider.source.name, plan.spec.provider.destination.name].includes(name));
  const why = isHostProvider(provider) ? t.hostProvider : inUse ? t.inUse : undefined;
  const entries: { title: string; kind: 'edit' | 'remove'; why?: string }[] = [
    { title: texts.common.edit, kind: 'edit', why: why ?? denied('patch', 'Provider', 'Secret') },
    { title: texts.common.remove, kind: 'remove', why: why ?? denied('delete', 'Provider') },
  ];
  return (
    <Dropdown
      isOpen={expanded}
      onOpenChange={setExpanded}
      onSelect={() => setExpanded(false)}
      popperProps={{ position: 'right' }}
      toggle={(ref) => (
        <MenuToggle ref={ref} variant="plain" icon={<EllipsisVIcon />} isExpanded={expanded} onClick={() => setExpanded(!expanded)} aria-label={texts.common.options(name)} />
      )}
    >
      <DropdownList>
        {entries.map((entry) => (
          <DropdownItem key={entry.kind} isDisabled={!!entry.why} description={entry.why} isDanger={entry.kind === 'remove'} onClick={() => open({ kind: entry.kind, provider })}>
            {entry.title}
          </DropdownItem>
        ))}
      </DropdownList>
    </Dropdown>
  );
}

function NetworkDialog({ provider, onClose }: { provider: Provider; onClose: () => void }) {
  const [network, setNetwork] = useState(transferNetworkOf(provider));
  const networks = useFetched(provider.metadata.uid, () => cluster.targetNetworksOf(provider));
  const choices = [
    { value: '', label: texts.plan.podNetwork },
    ...(networks.data ?? []).map((item) => {
      const path = `${item.namespace}/${item.name}`;
      return { value: path, label: path };
    }),
  ];
  return (
    <Confirm title={`${t.migrationNetwork}: ${provider.metadata.name}`} confirm={t.selectNetwork} onConfirm={() => setTransferNetwork(provider, network)} onClose={onClose}>
      <p className="gantry-mb-md">{t.migrationNetworkHelp}</p>
      <Choose id="migration-network" label={t.defaultNetwork} value={network} choices={choices} onChange={setNetwork} />
      {networks.problem && <p role="alert">{networks.problem}</p>}
    </Confirm>
  );
}
