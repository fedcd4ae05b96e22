// The hosts of a source, and over which of their networks disks are read.
import { Alert, Toolbar, ToolbarContent, ToolbarItem } from '@patternfly/react-core';
import ServerIcon from '@patternfly/react-icons/dist/esm/icons/server-icon';
import { Table, Tbody, Td, Th, Thead, Tr } from '@patternfly/react-table';
import { useState } from 'react';
import * as cluster from '../api/cluster';
import { setHostNetwork } from '../api/providers';
import { useDenied } from '../api/rights';
import { useStore } from '../api/store';
import { useFetched } from '../api/use';
import { health } from '../model/conditions';
import { passwordMistake, userMistake } from '../model/names';
import { commonAdapters, configOfHost, managementAdapter } from '../model/hosts';
import type { Key } from '../model/pages';
import type { Host, Provider } from '../model/types';
import { HealthLabel } from './conditions';
import { Confirm } from './confirm';
import { Choose, Field } from './fields';
import { GuardedButton } from './guarded';
import { useSortedPages } from './sorted_pages';
import { Empty, Loading } from './states';
import { texts } from '../texts';

const t = texts.hosts;

interface Row {
  host: cluster.InventoryHost;
  config: Host | undefined; // that a person has made
  adapter: cluster.NetworkAdapter | undefined; // over which its disks are read
}

const titles = [texts.common.name, t.network, t.bandwidth, t.mtu, texts.common.status];
const keys: Key<Row>[] = [
  ({ host }) => host.name,
  ({ adapter, config }) => adapter?.name ?? config?.spec.ipAddress ?? '',
  ({ adapter }) => adapter?.linkSpeed ?? -1,
  ({ adapter }) => adapter?.mtu ?? -1,
  ({ config }) => (config ? texts.health[health(config)] : ''),
];

export function Hosts({ provider }: { provider: Provider }) {
  const store = useStore();
  const denied = useDenied();
  const hosts = useFetched(provider.metadata.uid, () => cluster.hostsOf(provider));
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  const [choosing, setChoosing] = useState(false);

  const configured = store.list('Host').filter((host) => host.spec.provider.name === provider.metadata.name);
  const configOf = (id: string): Host | undefined => configOfHost(configured, hosts.data ?? [], id);
  const all: Row[] = (hosts.data ?? []).map((host) => {
    const config = configOf(host.id);
    const adapter = config ? host.networkAdapters?.find((each) => each.ipAddress === config.spec.ipAddress) : managementAdapter(host);
    return { host, config, adapter };
  });
  const pages = useSortedPages(all, keys);
  const chosen = all.map(({ host }) => host).filter((host) => selected.has(host.id));
  const possible = chosen.length > 0 && (commonAdapters(chosen).length > 0 || chosen.some((host) => configOf(host.id)));
  const why = denied('create', 'Host', 'Secret') ?? denied('patch', 'Host') ?? (possible ? undefined : t.selectFirst);
  const choose = (rows: Row[], on: boolean) => {
    const next = new Set(selected);
    for (const { host } of rows)
      if (on) next.add(host.id);
      else next.delete(host.id);
    setSelected(next);
  };

  if (hosts.problem) return <Alert isInline variant="danger" title={hosts.problem} />;
  if (!hosts.data) return <Loading title={texts.common.loading} />;
  if (!all.length) return <Empty title={t.empty} icon={ServerIcon} />;
  return (
    <>
      <Toolbar>
        <ToolbarContent>
          <ToolbarItem>{pages.search}</ToolbarItem>
          <ToolbarItem>
            <GuardedButton why={why} onClick={() => setChoosing(true)}>
              {t.select}
            </GuardedButton>
          </ToolbarItem>
        </ToolbarContent>
      </Toolbar>
      {pages.found ? (
        <Table aria-label={t.table} variant="compact">
          <Thead>
            <Tr>
              <Th
                select={{
                  isSelected: pages.rows.every(({ host }) => selected.has(host.id)),
                  onSelect: (_event, on) => choose(pages.rows, on),
                }}
                aria-label={texts.vm.selectAll}
              />
              {titles.map((title, index) => (
                <Th key={title} sort={pages.sortOf(index)} modifier="nowrap">
                  {title}
                </Th>
              ))}
            </Tr>
          </Thead>
          <Tbody>
            {pages.rows.map((row, index) => (
              <HostRow key={row.host.id} row={row} index={index} isSelected={selected.has(row.host.id)} choose={(on) => choose([row], on)} />
            ))}
          </Tbody>
        </Table>
      ) : (
        pages.nothing
      )}
      {pages.pager}
      {choosing && (
        <NetworkDialog
          provider={provider}
          hosts={chosen}
          configOf={configOf}
          onClose={() => {
            setChoosing(false);
            setSelected(new Set());
          }}
        />
      )}
    </>
  );
}

function HostRow({ row: { host, config, adapter }, index, isSelected, choose }: { row: Row; index: number; isSelected: boolean; choose: (on: boolean) => void }) {
  return (
    <Tr>
      <Td select={{ rowIndex: index, isSelected, onSelect: (_event, on) => choose(on), props: { 'aria-label': texts.vm.select(host.name) } }} />
      <Td dataLabel={texts.common.name} className="gantry-break">
        {host.name}
      </Td>
      <Td dataLabel={t.network} className="gantry-break">
        {adapter?.name ?? config?.spec.ipAddress ?? t.managementNetwork}
        {!config && adapter && <div className="gantry-subtle">{t.managementNetwork}</div>}
      </Td>
      <Td dataLabel={t.bandwidth}>{adapter ? t.mbps(adapter.linkSpeed) : '–'}</Td>
      <Td dataLabel={t.mtu}>{adapter?.mtu ?? '–'}</Td>
      <Td dataLabel={texts.common.status}>{config ? <HealthLabel object={config} /> : '–'}</Td>
    </Tr>
  );
}

const management = '';

function NetworkDialog({ provider, hosts, configOf, onClose }: { provider: Provider; hosts: cluster.InventoryHost[]; configOf: (id: string) => Host | undefined; onClose: () => void }) {
  const only = hosts.length === 1 ? configOf(hosts[0]!.id) : undefined;
  const [network, setNetwork] = useState(hosts[0]?.networkAdapters?.find((each) => each.ipAddress === only?.spec.ipAddress)?.name ?? management);
  const [user, setUser] = useState('');
  const [password, setPassword] = useState('');
  const moves = network !== management;
  const needed = moves && provider.spec.type === 'vsphere'; // an oVirt host takes the tickets of its Manager
  const choices = [{ value: management, label: t.managementNetwork }, ...commonAdapters(hosts).map((name) => ({ value: name, label: name }))];

  async function save() {
    for (const host of hosts) {
      const ip = moves ? host.networkAdapters?.find((each) => each.name === network)?.ipAddress : undefined;
      await setHostNetwork(provider, host, configOf(host.id), ip, needed ? { user, password } : undefined);
    }
  }

  return (
    <Confirm
      title={t.dialogTitle(hosts.length)}
      confirm={texts.common.save}
      disabled={needed && (!!userMistake(user) || !!passwordMistake(password))}
      onConfirm={save}
      onClose={onClose}
    >
      <div className="gantry-stack">
        <Choose id="host-network" label={t.network} value={network} choices={choices} onChange={setNetwork} />
        {provider.spec.type === 'vsphere' ? (
          <>
            <Field id="host-user" label={t.esxiUser} value={user} onChange={setUser} mistake={needed ? userMistake(user) : undefined} disabled={!needed} />
            <Field
              id="host-password"
              label={t.esxiPassword}
              type="password"
              value={password}
              onChange={setPassword}
              mistake={needed ? passwordMistake(password) : undefined}
              disabled={!needed}
            />
          </>
        ) : (
          <p className="gantry-subtle">{t.noCredentials}</p>
        )}
      </div>
    </Confirm>
  );
}
