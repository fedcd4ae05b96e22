// What a provider holds: kinds and their objects, in pages that the inventory filters, sorts and counts.
import { Alert, Button, FormSelect, FormSelectOption, Modal, ModalBody, ModalHeader, PageSection, Pagination, SearchInput, Spinner, Tab, Tabs, TabTitleText, Title, Toolbar, ToolbarContent, ToolbarItem } from '@patternfly/react-core';
import CubesIcon from '@patternfly/react-icons/dist/esm/icons/cubes-icon';
import SearchIcon from '@patternfly/react-icons/dist/esm/icons/search-icon';
import { Table, Tbody, Td, Th, Thead, Tr, type ThProps } from '@patternfly/react-table';
import { useEffect, useState } from 'react';
import { Navigate, useNavigate, useParams } from 'react-router-dom';
import * as cluster from '../api/cluster';
import { useStore } from '../api/store';
import { useFetched } from '../api/use';
import { isReady } from '../model/conditions';
import { bytes } from '../model/format';
import { concernCategories, cpusOf, inventoryPath, kindsOf, valueAt, type Column, type InventoryKind, type InventoryQuery } from '../model/inventory';
import type { Concern, Provider } from '../model/types';
import { ConcernLabel, Concerns, worstConcern } from '../parts/concerns';
import { HealthLabel, StatusPopover } from '../parts/conditions';
import { Empty, Loading, Troubles } from '../parts/states';
import { YamlText } from '../parts/yaml';
import { texts } from '../texts';

const t = texts.inventory;

export function InventoryPage() {
  const store = useStore();
  const navigate = useNavigate();
  const { provider: name, kind } = useParams();
  const providers = store.list('Provider').filter((provider) => kindsOf[provider.spec.type]);
  const provider = providers.find((each) => each.metadata.name === name);
  const kinds = provider ? kindsOf[provider.spec.type]! : [];
  const chosen = kinds.find((each) => each.collection === kind);

  if (store.synced && providers.length && !chosen) {
    const to = provider ?? providers.find((each) => each.spec.type !== 'openshift') ?? providers[0]!;
    return <Navigate to={`/inventory/${to.metadata.name}/${kindsOf[to.spec.type]![0]!.collection}`} replace />;
  }
  return (
    <>
      <PageSection>
        <Title headingLevel="h1">{t.title}</Title>
        <Troubles kinds={['Provider']} />
        {provider && (
          <div className="gantry-row gantry-mt-sm">
            <FormSelect aria-label={t.provider} value={provider.metadata.name} onChange={(_event, to) => navigate(`/inventory/${to}`)} className="gantry-provider-choice">
              {providers.map((each) => (
                <FormSelectOption key={each.metadata.uid} value={each.metadata.name} label={`${each.metadata.name} (${texts.providers.types[each.spec.type] ?? each.spec.type})`} />
              ))}
            </FormSelect>
            <HealthLabel object={provider} />
          </div>
        )}
      </PageSection>
      {provider && chosen && (
        <PageSection type="tabs">
          <Tabs activeKey={chosen.collection} onSelect={(_event, key) => navigate(`/inventory/${provider.metadata.name}/${key}`)} usePageInsets aria-label={t.title}>
            {kinds.map(({ collection }) => (
              <Tab key={collection} eventKey={collection} title={<TabTitleText>{t.kinds[collection]}</TabTitleText>} tabContentId="tab-content" />
            ))}
          </Tabs>
        </PageSection>
      )}
      <PageSection isFilled id="tab-content" role="tabpanel" aria-label={t.title}>
        {!store.synced ? (
          <Loading title={t.loading} />
        ) : provider && chosen ? (
          <Objects key={`${provider.metadata.uid}/${chosen.collection}`} provider={provider} kind={chosen} />
        ) : (
          <Empty title={texts.providers.emptyTitle} body={texts.providers.emptyBody} icon={CubesIcon} />
        )}
      </PageSection>
    </>
  );
}

interface InventoryObject {
  id?: string;
  uid?: string;
  name: string;
  concerns?: Concern[];
}

const settle_ms = 300;

function Objects({ provider, kind }: { provider: Provider; kind: InventoryKind }) {
  const [query, setQuery] = useState<InventoryQuery>({ search: '', concern: '', concernText: '', offset: 0, limit: 20 });
  const [asked, setAsked] = useState(query);
  const [shown, setShown] = useState<InventoryObject>();
  const path = inventoryPath(kind.collection, asked);
  const ready = isReady(provider); // then what was still being read is asked for anew
  const { data, problem } = useFetched(`${provider.metadata.uid}/${ready}/${path}`, () => cluster.inventoryPage<InventoryObject>(provider, path));
  const change = (more: Partial<InventoryQuery>) => setQuery((before) => ({ ...before, offset: 0, ...more }));
  const hasConcerns = kind.columns.some(({ format }) => format === 'concerns');
  const filtered = !!(query.search || query.concern || query.concernText);

  useEffect(() => {
    const timer = setTimeout(() => setAsked(query), settle_ms);
    return () => clearTimeout(timer);
  }, [query]);

  const sortOf = (column: Column, index: number): ThProps['sort'] =>
    column.unsorted
      ? undefined
      : {
          sortBy: { index: query.sort && kind.columns.findIndex(({ key }) => key === query.sort!.key), direction: query.sort?.descending ? 'desc' : 'asc' },
          onSort: (_event, _index, direction) => change({ sort: { key: column.key, descending: direction === 'desc' } }),
          columnIndex: index,
        };

  return (
    <>
      <Toolbar>
        <ToolbarContent>
          <ToolbarItem>
            <SearchInput aria-label={texts.common.search} placeholder={texts.common.search} value={query.search} onChange={(_event, search) => change({ search })} onClear={() => change({ search: '' })} />
          </ToolbarItem>
          {hasConcerns && (
            <>
              <ToolbarItem>
                <FormSelect aria-label={t.concernFilter} value={query.concern} onChange={(_event, concern) => change({ concern })} className="gantry-short">
                  <FormSelectOption value="" label={t.concernFilter} />
                  {concernCategories.map((category) => (
                    <FormSelectOption key={category} value={category} label={texts.concern.category[category]!} />
                  ))}
                </FormSelect>
              </ToolbarItem>
              <ToolbarItem>
                <SearchInput aria-label={t.concernText} placeholder={t.concernText} value={query.concernText} onChange={(_event, concernText) => change({ concernText })} onClear={() => change({ concernText: '' })} />
              </ToolbarItem>
            </>
          )}
          <ToolbarItem variant="pagination" align={{ default: 'alignEnd' }}>
            <Pagination
              itemCount={data?.total ?? 0}
              page={Math.floor(query.offset / query.limit) + 1}
              perPage={query.limit}
              isCompact
              onSetPage={(_event, page) => change({ offset: (page - 1) * query.limit })}
              onPerPageSelect={(_event, limit) => change({ limit })}
            />
          </ToolbarItem>
        </ToolbarContent>
      </Toolbar>
      {problem ? (
        <Alert isInline variant="danger" title={problem} />
      ) : !data ? (
        <Loading title={t.loading} />
      ) : data.filling || (!data.total && !ready) ? (
        <Empty title={t.notReady(provider.metadata.name)} body={t.filling} icon={CubesIcon} />
      ) : !data.total ? (
        <Empty title={filtered ? texts.common.noMatch : t.none} icon={SearchIcon} />
      ) : (
        <Table aria-label={t.table(t.kinds[kind.collection]!)} variant="compact" gridBreakPoint="grid-lg">
          <Thead>
            <Tr>
              {kind.columns.map((column, index) => (
                <Th key={column.key} sort={sortOf(column, index)} modifier="nowrap">
                  {t.columns[column.key]}
                </Th>
              ))}
            </Tr>
          </Thead>
          <Tbody>
            {data.items.map((object) => (
              <Tr key={object.id ?? object.uid}>
                {kind.columns.map((column) => (
                  <Td key={column.key} dataLabel={t.columns[column.key]} className={column.format ? 'gantry-numbers' : 'gantry-break'}>
                    {column.key === 'name' ? (
                      <Button variant="link" isInline onClick={() => setShown(object)} aria-label={t.show(object.name)} className="gantry-break">
                        {object.name}
                      </Button>
                    ) : (
                      <Cell object={object} column={column} />
                    )}
                  </Td>
                ))}
              </Tr>
            ))}
          </Tbody>
        </Table>
      )}
      {shown && <ObjectDialog provider={provider} collection={kind.collection} object={shown} onClose={() => setShown(undefined)} />}
    </>
  );
}

const powers: Record<string, string> = { poweredOn: texts.wizard.on, poweredOff: texts.wizard.off, up: texts.wizard.on, down: texts.wizard.off };

function Cell({ object, column: { key, format } }: { object: InventoryObject; column: Column }) {
  const value = valueAt(object, key);
  if (format === 'concerns') {
    const worst = worstConcern(object.concerns);
    if (!object.concerns?.length) return <ConcernLabel category={worst} />;
    return (
      <StatusPopover label={texts.concern.category[worst] ?? worst} status={worst === 'Critical' ? 'danger' : worst === 'Warning' ? 'warning' : 'info'} title={t.columns.concerns!}>
        <Concerns concerns={object.concerns} />
      </StatusPopover>
    );
  }
  if (format === 'cpus') return <>{cpusOf(object)}</>;
  if (value === undefined || value === null) return null;
  if (format === 'bytes') return <>{bytes(Number(value))}</>;
  if (format === 'mebibytes') return <>{bytes(Number(value) * 1024 * 1024)}</>;
  if (format === 'truth') return <>{value ? t.yes : t.no}</>;
  return <>{format === 'power' ? (powers[String(value)] ?? String(value)) : String(value)}</>;
}

// The whole object, as the inventory has it.
function ObjectDialog({ provider, collection, object, onClose }: { provider: Provider; collection: string; object: InventoryObject; onClose: () => void }) {
  const id = object.id ?? object.uid ?? '';
  const { data, problem } = useFetched(`${collection}/${id}`, () => cluster.inventoryObject(provider, collection, id));
  return (
    <Modal isOpen variant="large" onClose={onClose} aria-label={object.name}>
      <ModalHeader title={object.name} />
      <ModalBody tabIndex={0} aria-label={object.name}>
        {problem ? <Alert isInline variant="danger" title={problem} /> : data ? <YamlText name={object.name} object={data} /> : <Spinner aria-label={texts.common.loading} />}
      </ModalBody>
    </Modal>
  );
}
