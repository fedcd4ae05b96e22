// All migration plans: state, progress, and the button that each is waiting for.
import { Button, Flex, FlexItem, PageSection, SearchInput, Switch, Title, Toolbar, ToolbarContent, ToolbarGroup, ToolbarItem, Tooltip } from '@patternfly/react-core';
import CubesIcon from '@patternfly/react-icons/dist/esm/icons/cubes-icon';
import SearchIcon from '@patternfly/react-icons/dist/esm/icons/search-icon';
import { Table, Tbody, Td, Th, Thead, Tr } from '@patternfly/react-table';
import { useState } from 'react';
import { Link, useNavigate } from 'react-router-dom';
import { useDenied } from '../api/rights';
import { useStore } from '../api/store';
import { filterState, filterStates, planState, type FilterState, type PlanState } from '../model/plan_state';
import type { Plan } from '../model/types';
import { CheckFilter } from '../parts/check_filter';
import { useNow } from '../parts/clock';
import { PlanActions } from '../parts/plan_actions';
import { PlanProgress, PlanStateLabel, typeText } from '../parts/plan_status';
import { useSortedPages } from '../parts/sorted_pages';
import { Empty, Loading, Troubles } from '../parts/states';
import { texts } from '../texts';

interface Row {
  plan: Plan;
  state: PlanState;
}

const columns: { title: string; key: (row: Row) => string }[] = [
  { title: texts.common.name, key: ({ plan }) => plan.metadata.name },
  { title: texts.common.source, key: ({ plan }) => plan.spec.provider.source.name ?? '' },
  { title: texts.common.target, key: ({ plan }) => plan.spec.provider.destination.name ?? '' },
  { title: texts.common.type, key: ({ plan }) => typeText(plan) },
  { title: texts.common.status, key: ({ state }) => texts.planState[state] },
];

const keys = columns.map(({ key }) => key);

export function PlansPage() {
  const store = useStore();
  const navigate = useNavigate();
  const denied = useDenied();
  const now = useNow(5000);
  const [search, setSearch] = useState('');
  const [states, setStates] = useState<FilterState[]>([]);
  const [types, setTypes] = useState<string[]>([]);
  const [sources, setSources] = useState<string[]>([]);
  const [targets, setTargets] = useState<string[]>([]);
  const [archived, setArchived] = useState(false);

  const migrations = store.list('Migration');
  const all: Row[] = store.list('Plan').map((plan) => ({ plan, state: planState(plan, migrations, now) }));
  const providers = store.list('Provider');
  const canCreate = providers.some((p) => p.spec.type !== 'openshift') && providers.some((p) => p.spec.type === 'openshift');

  const text = search.trim().toLowerCase();
  const found = all
    .filter(({ plan }) => !text || `${plan.metadata.name} ${plan.spec.description ?? ''}`.toLowerCase().includes(text))
    .filter(({ state }) => !states.length || states.includes(filterState(state)))
    .filter(({ plan }) => !types.length || types.includes(typeText(plan)))
    .filter(({ plan }) => !sources.length || sources.includes(plan.spec.provider.source.name ?? ''))
    .filter(({ plan }) => !targets.length || targets.includes(plan.spec.provider.destination.name ?? ''))
    .filter(({ plan }) => archived || states.includes('Archived') || !plan.spec.archived);
  const pages = useSortedPages(found, keys);
  const valuesOf = (of: (plan: Plan) => string | undefined) =>
    [...new Set(all.map(({ plan }) => of(plan)).filter((value): value is string => !!value))].sort().map((value) => ({ value, label: value }));
  const clear = () => {
    setSearch('');
    setStates([]);
    setTypes([]);
    setSources([]);
    setTargets([]);
  };

  const why = denied('create', 'Plan') ?? (canCreate ? undefined : texts.plans.needProviders);
  const create = (
    <Button isAriaDisabled={!!why} onClick={() => navigate('/plans/create')}>
      {texts.plans.create}
    </Button>
  );
  const createButton = why ? <Tooltip content={why}>{create}</Tooltip> : create;

  return (
    <>
      <PageSection>
        <Flex>
          <FlexItem>
            <Title headingLevel="h1">{texts.plans.title}</Title>
          </FlexItem>
          {all.length > 0 && <FlexItem align={{ default: 'alignRight' }}>{createButton}</FlexItem>}
        </Flex>
        <Troubles kinds={['Plan', 'Migration']} />
      </PageSection>
      <PageSection isFilled>
        {!store.synced ? (
          <Loading title={texts.plans.loading} />
        ) : !all.length ? (
          <Empty title={texts.plans.emptyTitle} body={texts.plans.emptyBody} icon={CubesIcon} actions={createButton} />
        ) : (
          <>
            <Toolbar clearAllFilters={clear} clearFiltersButtonText={texts.common.clearFilters} collapseListedFiltersBreakpoint="md">
              <ToolbarContent>
                <ToolbarItem>
                  <SearchInput
                    aria-label={texts.common.search}
                    placeholder={texts.common.search}
                    value={search}
                    onChange={(_event, value) => setSearch(value)}
                    onClear={() => setSearch('')}
                  />
                </ToolbarItem>
                <ToolbarGroup variant="filter-group">
                  <CheckFilter title={texts.plans.filterState} chosen={states} choose={setStates} options={filterStates.map((value) => ({ value, label: texts.filterState[value] }))} />
                  <CheckFilter title={texts.plans.filterType} chosen={types} choose={setTypes} options={valuesOf(typeText)} />
                  <CheckFilter title={texts.plans.filterSource} chosen={sources} choose={setSources} options={valuesOf((plan) => plan.spec.provider.source.name)} />
                  <CheckFilter title={texts.plans.filterTarget} chosen={targets} choose={setTargets} options={valuesOf((plan) => plan.spec.provider.destination.name)} />
                </ToolbarGroup>
                <ToolbarItem alignSelf="center">
                  <Switch id="archived" label={texts.plans.archived} isChecked={archived} onChange={(_event, on) => setArchived(on)} />
                </ToolbarItem>
              </ToolbarContent>
            </Toolbar>
            {found.length ? (
              <Table aria-label={texts.plans.table} variant="compact" gridBreakPoint="grid-lg">
                <Thead>
                  <Tr>
                    {columns.map((column, index) => (
                      <Th key={column.title} sort={pages.sortOf(index)} modifier="nowrap">
                        {column.title}
                      </Th>
                    ))}
                    <Th>{texts.plans.progress}</Th>
                    <Th screenReaderText={texts.common.actions} />
                  </Tr>
                </Thead>
                <Tbody>
                  {pages.rows.map(({ plan, state }) => (
                    <Tr key={plan.metadata.uid}>
                      <Td dataLabel={texts.common.name} width={20} className="gantry-break">
                        <Link to={`/plans/${plan.metadata.name}`}>{plan.metadata.name}</Link>
                        {plan.spec.description && <div className="gantry-subtle">{plan.spec.description}</div>}
                      </Td>
                      <Td dataLabel={texts.common.source} className="gantry-break">
                        {plan.spec.provider.source.name}
                      </Td>
                      <Td dataLabel={texts.common.target} className="gantry-break">
                        {plan.spec.provider.destination.name}
                      </Td>
                      <Td dataLabel={texts.common.type}>{typeText(plan)}</Td>
                      <Td dataLabel={texts.common.status}>
                        <PlanStateLabel plan={plan} state={state} />
                      </Td>
                      <Td dataLabel={texts.plans.progress}>
                        {plan.status?.started ? <PlanProgress plan={plan} state={state} store={store} /> : texts.plans.vms(plan.status?.vms.total ?? 0)}
                      </Td>
                      <Td isActionCell>
                        <div className="gantry-actions">
                          <PlanActions plan={plan} state={state} migrations={migrations} compact />
                        </div>
                      </Td>
                    </Tr>
                  ))}
                </Tbody>
              </Table>
            ) : (
              <Empty
                title={texts.common.noMatch}
                body={archived ? undefined : texts.plans.hiddenArchived}
                icon={SearchIcon}
                actions={
                  <Button variant="link" onClick={clear}>
                    {texts.common.clearFilters}
                  </Button>
                }
              />
            )}
            {pages.pager}
          </>
        )}
      </PageSection>
    </>
  );
}
