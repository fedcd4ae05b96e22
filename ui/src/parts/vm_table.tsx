// The VMs of a plan: one row each, opened to its steps and disks.
import { Alert, Button, Label, List, ListItem, Pagination, Progress, ProgressMeasureLocation, ProgressSize, SearchInput, Title, Toolbar, ToolbarContent, ToolbarItem, Tooltip } from '@patternfly/react-core';
import { ExpandableRowContent, Table, Tbody, Td, Th, Thead, Tr, type ThProps } from '@patternfly/react-table';
import { useEffect, useState } from 'react';
import * as cluster from '../api/cluster';
import { useDenied } from '../api/rights';
import { rowKey, useStore } from '../api/store';
import { useFetched } from '../api/use';
import { useConsole } from '../app';
import { bytes, clock, duration, elapsed, percent, rate, time } from '../model/format';
import { isActive, newestMigration, type PlanState } from '../model/plan_state';
import { ofVm } from '../model/gather';
import type { Plan, Precopy, VmRow, VmState } from '../model/types';
import { currentStep, disksOf, downtime, expectedCutover, failedTries, failureOf, remarkOf, vmBytes, vmStalled } from '../model/vm_state';
import { stepText, texts } from '../texts';
import { CheckFilter } from './check_filter';
import { useNow } from './clock';
import { Concerns } from './concerns';
import { GatherButton } from './gather_button';
import { LogsDialog } from './logs';
import { Disks, Pipeline, Steps } from './pipeline';
import { CancelVmsDialog } from './plan_actions';
import { Empty, Loading } from './states';

const looks: Record<VmState, { status?: 'success' | 'danger' | 'warning' | 'info'; color?: 'blue' | 'grey' }> = {
  NotStarted: { color: 'grey' },
  Queued: { color: 'grey' },
  Running: { color: 'blue' },
  Copying: { color: 'blue' },
  WaitingCutover: { status: 'info' },
  Succeeded: { status: 'success' },
  Failed: { status: 'danger' },
  Canceled: { color: 'grey' },
};

const vmName = (vm: VmRow): string => vm.name || vm.id || '';

const vmStates = Object.keys(texts.vmState) as VmState[];
const sortable: [string, string][] = [
  ['name', texts.common.name],
  ['state', texts.vm.state],
  ['copied', texts.vm.copied],
  ['started', texts.vm.elapsed],
];
const settle_ms = 250; // typing

// A value that is still being typed counts when it rests.
function useSettled<T>(value: T): T {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), settle_ms);
    return () => clearTimeout(timer);
  }, [value]);
  return settled;
}

// The server filters, sorts and cuts: this holds the page that is shown, and what was selected on others.
export function VmTable({ plan, state }: { plan: Plan; state: PlanState }) {
  const store = useStore();
  const { events } = useConsole();
  const denied = useDenied();
  const now = useNow();
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set());
  const [selected, setSelected] = useState<ReadonlyMap<string, VmRow>>(new Map());
  const [search, setSearch] = useState('');
  const [states, setStates] = useState<VmState[]>([]);
  const [sort, setSort] = useState<{ by: string; descending: boolean }>();
  const [page, setPage] = useState(1);
  const [perPage, setPerPage] = useState(20);
  const [canceling, setCanceling] = useState(false);
  const [logsOf, setLogsOf] = useState<VmRow>();
  const q = useSettled(search.trim());

  const planName = plan.metadata.name;
  useEffect(
    () => events.look(planName, { q, states, sort: sort?.by, descending: sort?.descending, offset: (page - 1) * perPage, limit: perPage }),
    [events, planName, q, states, sort, page, perPage],
  );

  const rows = store.rows(planName);
  const { found, offset } = store.place(planName);
  const shownPage = Math.floor(offset / perPage) + 1;
  const running = isActive(state);
  const migration = newestMigration(plan, store.list('Migration'));
  const asked = new Set((migration?.spec.cancel ?? []).map((ref) => ref.id ?? ref.name));

  if (!store.hasRows(planName)) return <Loading title={texts.plan.loading} />;
  if (!plan.status?.vms.total && !rows.length && !q && !states.length) return <Empty title={texts.vm.emptyTitle} body={texts.vm.emptyBody} />;

  const why = denied('patch', 'Migration');
  const cancelable = (vm: VmRow): boolean =>
    running && !!migration && !why && !asked.has(vm.id ?? vm.name) && !['Succeeded', 'Failed', 'Canceled'].includes(vm.state ?? '');
  const chosen = [...selected.values()].map((vm) => rows.find((row) => rowKey(row) === rowKey(vm)) ?? vm).filter(cancelable);
  const onPage = rows.filter(cancelable);
  const select = (vms: VmRow[], on: boolean) => {
    const next = new Map(selected);
    for (const vm of vms)
      if (on) next.set(rowKey(vm), vm);
      else next.delete(rowKey(vm));
    setSelected(next);
  };
  const toggleOpen = (key: string) => {
    const next = new Set(open);
    if (!next.delete(key)) next.add(key);
    setOpen(next);
  };
  const sortOf = (by: string): ThProps['sort'] => ({
    sortBy: { index: sort ? sortable.findIndex(([key]) => key === sort.by) : undefined, direction: sort?.descending ? 'desc' : 'asc' },
    onSort: (_event, _index, direction) => setSort({ by, descending: direction === 'desc' }),
    columnIndex: sortable.findIndex(([key]) => key === by),
  });
  const clear = () => {
    setSearch('');
    setStates([]);
    setPage(1);
  };
  const width = running ? 8 : 7;
  const cancelButton = (
    <Button variant="secondary" isAriaDisabled={!chosen.length} onClick={() => setCanceling(true)}>
      {texts.plan.cancelVms}
      {chosen.length > 0 && ` (${chosen.length})`}
    </Button>
  );

  return (
    <>
      <Toolbar clearAllFilters={clear} clearFiltersButtonText={texts.common.clearFilters} collapseListedFiltersBreakpoint="md">
        <ToolbarContent>
          <ToolbarItem>
            <SearchInput
              aria-label={texts.common.search}
              placeholder={texts.common.search}
              value={search}
              onChange={(_event, value) => {
                setSearch(value);
                setPage(1);
              }}
              onClear={() => setSearch('')}
            />
          </ToolbarItem>
          <CheckFilter
            title={texts.vm.filterState}
            options={vmStates.map((value) => ({ value, label: texts.vmState[value] }))}
            chosen={states}
            choose={(values) => {
              setStates(values);
              setPage(1);
            }}
          />
          {running && <ToolbarItem>{why || !chosen.length ? <Tooltip content={why ?? texts.plan.selectFirst}>{cancelButton}</Tooltip> : cancelButton}</ToolbarItem>}
          {found > 10 && (
            <ToolbarItem variant="pagination" align={{ default: 'alignEnd' }}>
              <Pagination
                itemCount={found}
                page={shownPage}
                perPage={perPage}
                perPageOptions={[10, 20, 50, 100].map((value) => ({ title: String(value), value }))}
                isCompact
                onSetPage={(_event, to) => setPage(to)}
                onPerPageSelect={(_event, n) => {
                  setPerPage(n);
                  setPage(1);
                }}
              />
            </ToolbarItem>
          )}
        </ToolbarContent>
      </Toolbar>
      <Table aria-label={texts.vm.table} variant="compact" isExpandable gridBreakPoint="grid-lg">
        <Thead>
          <Tr>
            <Th screenReaderText={texts.common.details('')} />
            {running && (
              <Th
                aria-label={texts.vm.selectAll}
                select={{
                  isSelected: onPage.length > 0 && onPage.every((vm) => selected.has(rowKey(vm))),
                  onSelect: (_event, on) => select(onPage, on),
                  isHeaderSelectDisabled: !onPage.length,
                }}
              />
            )}
            <Th sort={sortOf('name')} modifier="nowrap">{texts.common.name}</Th>
            <Th sort={sortOf('state')} modifier="nowrap">{texts.vm.state}</Th>
            <Th>{texts.vm.pipeline}</Th>
            <Th sort={sortOf('copied')} modifier="nowrap">{texts.vm.copied}</Th>
            <Th>{texts.vm.rate}</Th>
            <Th sort={sortOf('started')} modifier="nowrap">{texts.vm.elapsed}</Th>
          </Tr>
        </Thead>
        {rows.map((vm, index) => {
          const key = rowKey(vm);
          const expanded = open.has(key);
          const at = vm.state ?? 'NotStarted';
          return (
            <Tbody key={key} isExpanded={expanded}>
              <Tr>
                <Td
                  expand={{
                    rowIndex: index,
                    isExpanded: expanded,
                    onToggle: () => toggleOpen(key),
                    expandId: `vm-${key}-`,
                  }}
                />
                {running && (
                  <Td
                    select={{
                      rowIndex: index,
                      isSelected: selected.has(key) && cancelable(vm),
                      isDisabled: !cancelable(vm),
                      onSelect: (_event, on) => select([vm], on),
                      props: { 'aria-label': texts.vm.select(vmName(vm)) },
                    }}
                  />
                )}
                <Td dataLabel={texts.common.name} width={20} className="gantry-break">
                  {vmName(vm)}
                  {vm.newName && vm.newName !== vm.name && <div className="gantry-subtle">→ {vm.newName}</div>}
                </Td>
                <VmCells vm={vm} at={at} now={now} />
              </Tr>
              <Tr isExpanded={expanded}>
                <Td colSpan={width}>
                  <ExpandableRowContent>{expanded && <VmDetails plan={plan} vm={vm} at={at} now={now} onLogs={() => setLogsOf(vm)} />}</ExpandableRowContent>
                </Td>
              </Tr>
            </Tbody>
          );
        })}
      </Table>
      {!found && <Empty title={texts.common.noMatch} />}
      {canceling && migration && (
        <CancelVmsDialog
          migration={migration}
          vms={chosen}
          onClose={() => {
            setCanceling(false);
            setSelected(new Map());
          }}
        />
      )}
      {logsOf && (
        <LogsDialog
          namespace={plan.spec.targetNamespace}
          planUid={plan.metadata.uid}
          vm={{ id: logsOf.id ?? '', name: vmName(logsOf) }}
          onClose={() => setLogsOf(undefined)}
        />
      )}
    </>
  );
}

const whereItIs = (vm: VmRow, at: VmState): string | undefined => {
  const step = currentStep(vm);
  return step && (at === 'Running' || at === 'Copying' || at === 'Failed') ? stepText(step.name) : undefined;
};

function VmCells({ vm, at, now }: { vm: VmRow; at: VmState; now: number }) {
  const store = useStore();
  const { done, total } = vmBytes(vm);
  const running = at === 'Running' || at === 'Copying';
  const meters = disksOf(vm).map(({ task }) => store.diskMeter(vm, task.name));
  const speed = running && done < total ? meters.reduce((sum, meter) => sum + (meter?.rate() ?? 0), 0) : 0;
  const left = speed > 0 ? (total - done) / speed : undefined;
  const seconds = elapsed(vm.started, vm.completed, now);
  const where = whereItIs(vm, at);
  const remark = remarkOf(vm);
  const pending = vm.conditions?.find((c) => c.type === 'Pending' && c.status === 'True');
  const { status, color } = looks[at];

  return (
    <>
      <Td dataLabel={texts.vm.state}>
        <Label status={status} color={color}>
          {texts.vmState[at]}
        </Label>
        {where && <div className="gantry-subtle gantry-nowrap">{where}</div>}
        {vmStalled(vm) && running && (
          <Label status="warning" isCompact>
            {texts.vm.stalledShort}
          </Label>
        )}
        {running && failedTries(vm) > 0 && (
          <Label status="warning" isCompact>
            {texts.vm.retrying(failedTries(vm))}
          </Label>
        )}
        {running && remark && <div className="gantry-subtle gantry-break">{remark}</div>}
        {at === 'Queued' && pending?.message && <div className="gantry-subtle gantry-break">{pending.message}</div>}
        {at === 'WaitingCutover' && vm.warm?.nextPrecopyAt && (
          <div className="gantry-subtle">{texts.vm.nextCopy(duration((Date.parse(vm.warm.nextPrecopyAt) - now) / 1000))}</div>
        )}
        {at === 'WaitingCutover' && expectedCutover(vm) !== undefined && <div className="gantry-subtle">{texts.vm.expectedCutover(duration(expectedCutover(vm)!))}</div>}
      </Td>
      <Td dataLabel={texts.vm.pipeline}>
        <Pipeline vm={vm} />
      </Td>
      <Td dataLabel={texts.vm.copied}>
        {total > 0 && (
          <div className="gantry-progress">
            <Progress
              aria-label={`${texts.vm.copied}: ${vmName(vm)}`}
              value={percent(done, total)}
              size={ProgressSize.sm}
              measureLocation={ProgressMeasureLocation.none}
              variant={done >= total ? 'success' : at === 'Failed' ? 'danger' : undefined}
            />
            <span className="gantry-subtle gantry-numbers gantry-nowrap">
              {bytes(done)} / {bytes(total)}
            </span>
          </div>
        )}
      </Td>
      <Td dataLabel={texts.vm.rate} modifier="nowrap" className="gantry-numbers">
        {speed > 0 ? rate(speed) : ''}
        {left !== undefined && <div className="gantry-subtle">{texts.plans.left(duration(left))}</div>}
      </Td>
      <Td dataLabel={texts.vm.elapsed} modifier="nowrap" className="gantry-numbers">
        {seconds === undefined ? '' : clock(seconds)}
      </Td>
    </>
  );
}

function VmDetails({ plan, vm, at, now, onLogs }: { plan: Plan; vm: VmRow; at: VmState; now: number; onLogs: () => void }) {
  const store = useStore();
  const failure = failureOf(vm);
  const ended = at === 'Succeeded' || at === 'Failed' || at === 'Canceled';
  const times = [
    vm.started && `${texts.plan.started}: ${time(vm.started)}`,
    vm.completed && `${texts.plan.ended}: ${time(vm.completed)}`,
    downtime(vm) !== undefined && texts.report.downtime(duration(downtime(vm)!)),
  ].filter(Boolean);
  return (
    <>
      {at === 'Failed' && (
        <Alert isInline variant="danger" title={failure[0] ?? texts.vmState.Failed} className="gantry-mb-md">
          {failure.slice(1).map((reason) => (
            <p key={reason}>{reason}</p>
          ))}
          <p>{texts.vm.retry}</p>
        </Alert>
      )}
      <div className="gantry-details">
        {!!vm.pipeline?.length && (
          <section aria-label={texts.vm.pipeline}>
            <Steps vm={vm} now={now} />
            {times.length > 0 && <p className="gantry-subtle">{times.join(', ')}</p>}
          </section>
        )}
        {!!disksOf(vm).length && (
          <section aria-label={texts.vm.disks}>
            <Title headingLevel="h3" size="md" className="gantry-mb-sm">
              {texts.vm.disks}
            </Title>
            <Disks vm={vm} store={store} now={now} running={at === 'Running' || at === 'Copying'} />
            {failedTries(vm) > 0 && <p className="gantry-subtle">{texts.vm.retrying(failedTries(vm))}</p>}
          </section>
        )}
        {!!vm.warm?.precopies?.length && (
          <section aria-label={texts.vm.copiesTitle}>
            <Title headingLevel="h3" size="md" className="gantry-mb-sm">
              {texts.vm.copiesTitle}
            </Title>
            <Precopies precopies={vm.warm.precopies} leftOut={vm.warm.leftOut ?? 0} now={now} />
          </section>
        )}
        <section aria-label={texts.vm.concerns}>
          <Title headingLevel="h3" size="md" className="gantry-mb-sm">
            {texts.vm.concerns}
          </Title>
          <VmConcerns plan={plan} vm={vm} />
        </section>
      </div>
      {plan.status?.started && (
        <div className="gantry-row">
          <Button variant="link" isInline onClick={onLogs}>
            {texts.vm.logs}
          </Button>
          {ended && vm.id && <GatherButton what={ofVm(vm.id)} title={vmName(vm)} since={plan.metadata.creationTimestamp} compact />}
        </div>
      )}
    </>
  );
}

// Of the copies of a warm migration the status keeps so many first ones, and the last ones.
const FIRST_COPIES = 4;

// The copies of a warm migration, the newest first.
function Precopies({ precopies, leftOut, now }: { precopies: Precopy[]; leftOut: number; now: number }) {
  const numbered = precopies.map((copy, n) => ({ copy, n: n + 1 + (n < FIRST_COPIES ? 0 : leftOut) })).reverse();
  return (
    <List isPlain>
      {numbered.slice(0, 5).map(({ copy, n }) => (
        <ListItem key={n}>
          {texts.vm.copyNumber(n, clock(elapsed(copy.start, copy.end, now) ?? 0))}
          <div className="gantry-subtle gantry-break">{copy.error ?? (copy.end ? time(copy.end) : texts.vmState.Copying)}</div>
        </ListItem>
      ))}
      {numbered.length > 5 && <ListItem>{texts.plans.more(numbered.length - 5)}</ListItem>}
    </List>
  );
}

// Concerns come from the inventory, when somebody opens the row.
function VmConcerns({ plan, vm }: { plan: Plan; vm: VmRow }) {
  const store = useStore();
  const provider = store.get('Provider', plan.spec.provider.source.name);
  const { data, problem } = useFetched(provider && vm.id ? `${provider.metadata.uid}/${vm.id}` : undefined, () => cluster.vmOf(provider!, vm.id!));
  if (!data) return <p className="gantry-subtle">{problem ? texts.common.unknown : texts.common.loading}</p>;
  return <Concerns concerns={data.concerns ?? []} />;
}
