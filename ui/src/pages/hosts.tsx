// The hosts of a provider, and over which of their networks disks are read.
import { Alert, Breadcrumb, BreadcrumbItem, PageSection, Title, Toolbar, ToolbarContent, ToolbarItem } from '@patternfly/react-core';
import ServerIcon from '@patternfly/react-icons/dist/esm/icons/server-icon';
import { Table, Tbody, Td, Th, Thead, Tr } from '@patternfly/react-table';
import { useState } from 'react';
import { Link, useParams } from 'react-router-dom';
import * as cluster from '../api/cluster';
import { setHostNetwork } from '../api/providers';
import { useDenied } from '../api/rights';
import { useStore } from '../api/store';
import { useFetched } from '../api/use';
import { passwordMistake, userMistake } from '../model/names';
import { commonAdapters, configOfHost, managementAdapter } from '../model/hosts';
import type { Host, Provider } from '../model/types';
import { HealthLabel } from '../parts/conditions';
import { Confirm } from '../parts/confirm';
import { Choose, Field } from '../parts/fields';
import { GuardedButton } from '../parts/guarded';
import { Empty, Loading, Troubles } from '../parts/states';
import { texts } from '../texts';
import { NotFoundPage } from './not_found';

const t = texts.hosts;

export function HostsPage() {
  const { name } = useParams();
  const store = useStore();
  const denied = useDenied();
  const provider = store.get('Provider', name);
  const hosts = useFetched(provider?.metadata.uid, () => cluster.hostsOf(provider!));
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  const [choosing, setChoosing] = useState(false);

  if (!provider) return store.synced ? <NotFoundPage /> : <Loading title={texts.providers.loading} />;
  const configured = store.list('Host').filter((host) => host.spec.provider.name === name);
  const configOf = (id: string): Host | undefined => configOfHost(configured, hosts.data ?? [], id);
  const rows = [...(hosts.data ?? [])].sort((a, b) => a.name.localeCompare(b.name));
  const chosen = rows.filter((host) => selected.has(host.id));
  const possible = chosen.length > 0 && (commonAdapters(chosen).length > 0 || chosen.some((host) => configOf(host.id)));
  const why = denied('create', 'Host', 'Secret') ?? denied('patch', 'Host') ?? (possible ? undefined : t.selectFirst);

  return (
    <>
      <PageSection>
        <Breadcrumb>
          <BreadcrumbItem>
            <Link to={`/providers/${provider.spec.type}`}>{texts.providers.title}</Link>
          </BreadcrumbItem>
          <BreadcrumbItem isActive>{name}</BreadcrumbItem>
        </Breadcrumb>
        <Title headingLevel="h1">{t.title(provider.metadata.name)}</Title>
        <Troubles kinds={['Host']} />
        {hosts.problem && <Alert isInline variant="danger" title={hosts.problem} />}
      </PageSection>
      <PageSection isFilled>
        {!hosts.data && !hosts.problem ? (
          <Loading title={texts.common.loading} />
        ) : !rows.length ? (
          <Empty title={t.empty} icon={ServerIcon} />
        ) : (
          <>
            <Toolbar>
              <ToolbarContent>
                <ToolbarItem>
                  <GuardedButton why={why} onClick={() => setChoosing(true)}>
                    {t.select}
                  </GuardedButton>
                </ToolbarItem>
              </ToolbarContent>
            </Toolbar>
            <Table aria-label={t.table} variant="compact">
              <Thead>
                <Tr>
                  <Th
                    select={{
                      isSelected: chosen.length === rows.length,
                      onSelect: (_event, on) => setSelected(new Set(on ? rows.map((host) => host.id) : [])),
                    }}
                    aria-label={texts.vm.selectAll}
                  />
                  <Th>{texts.common.name}</Th>
                  <Th>{t.network}</Th>
                  <Th>{t.bandwidth}</Th>
                  <Th>{t.mtu}</Th>
                  <Th>{texts.common.status}</Th>
                </Tr>
              </Thead>
              <Tbody>
                {rows.map((host, index) => {
                  const config = configOf(host.id);
                  const adapter = config ? host.networkAdapters?.find((each) => each.ipAddress === config.spec.ipAddress) : managementAdapter(host);
                  return (
                    <Tr key={host.id}>
                      <Td
                        select={{
                          rowIndex: index,
                          isSelected: selected.has(host.id),
                          onSelect: (_event, on) => {
                            const next = new Set(selected);
                            if (on) next.add(host.id);
                            else next.delete(host.id);
                            setSelected(next);
                          },
                        }}
                      />
                      <Td dataLabel={texts.common.name}>{host.name}</Td>
                      <Td dataLabel={t.network}>
                        {adapter?.name ?? config?.spec.ipAddress ?? t.managementNetwork}
                        {!config && adapter && <div className="gantry-subtle">{t.managementNetwork}</div>}
                      </Td>
                      <Td dataLabel={t.bandwidth}>{adapter ? t.mbps(adapter.linkSpeed) : '–'}</Td>
                      <Td dataLabel={t.mtu}>{adapter?.mtu ?? '–'}</Td>
                      <Td dataLabel={texts.common.status}>{config ? <HealthLabel object={config} /> : '–'}</Td>
                    </Tr>
                  );
                })}
              </Tbody>
            </Table>
          </>
        )}
      </PageSection>
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

const management = '';

function NetworkDialog({ provider, hosts, configOf, onClose }: { provider: Provider; hosts: cluster.InventoryHost[]; configOf: (id: string) => Host | undefined; onClose: () => void }) {
  const only = hosts.length === 1 ? configOf(hosts[0]!.id) : undefined;
  const [network, setNetwork] = useState(hosts[0]?.networkAdapters?.find((each) => each.ipAddress === only?.spec.ipAddress)?.name ?? management);
  const [user, setUser] = useState('');
  const [password, setPassword] = useState('');
  const needed = network !== management;
  const ovirt = provider.spec.type === 'ovirt';
  const choices = [{ value: management, label: t.managementNetwork }, ...commonAdapters(hosts).map((name) => ({ value: name, label: name }))];

  async function save() {
    for (const host of hosts) {
      const ip = needed ? host.networkAdapters?.find((each) => each.name === network)?.ipAddress : undefined;
      await setHostNetwork(provider, host, configOf(host.id), ip, user, password);
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
        <Field id="host-user" label={ovirt ? t.managerUser : t.esxiUser} value={user} onChange={setUser} mistake={needed ? userMistake(user) : undefined} disabled={!needed} />
        <Field
          id="host-password"
          label={ovirt ? t.managerPassword : t.esxiPassword}
          type="password"
          value={password}
          onChange={setPassword}
          mistake={needed ? passwordMistake(password) : undefined}
          disabled={!needed}
        />
      </div>
    </Confirm>
  );
}
