// The VMs of a plan: one row each, opened to its steps and disks.
import { Alert, Button, Label, Pagination, Progress, ProgressMeasureLocation, ProgressSize, SearchInput, Title, Toolbar, ToolbarContent, ToolbarItem } from '@patternfly/react-core';
import { ExpandableRowContent, Table, Tbody, Td, Th, Thead, Tr } from '@patternfly/react-table';
import { useEffect, useState } from 'react';
import * as cluster from '../api/cluster';
import { rowKey, useStore } from '../api/store';
import { bytes, clock, duration, elapsed, percent, rate } from '../model/format';
import { isActive, isWarm, newestMigration, type PlanState } from '../model/plan_state';
import type { Concern, Plan, Provider, VmRow } from '../model/types';
import { currentStep, disksOf, failureOf, vmBytes, vmState, type VmState } from '../model/vm_state';
import { stepText, texts } from '../texts';
import { useNow } from './clock';
import { Concerns } from './concerns';
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

export const vmName = (vm: VmRow): string => vm.name || vm.id || '';

export function VmTable({ plan, state }: { plan: Plan; state: PlanState }) {
  const store = useStore();
  const now = useNow();
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set());
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  const [search, setSearch] = useState('');
  const [page, setPage] = useState(1);
  const [perPage, setPerPage] = useState(20);
  const [canceling, setCanceling] = useState(false);
  const [logsOf, setLogsOf] = useState<VmRow>();

  const planName = plan.metadata.name;
  const rows = store.rows(planName);
  const warm = isWarm(plan);
  const started = !!plan.status?.started;
  const running = isActive(state);
  const migration = newestMigration(plan, store.list('Migration'));
  const asked = new Set((migration?.spec.cancel ?? []).map((ref) => ref.id ?? ref.name));

  if (!store.hasRows(planName)) return <Loading title={texts.plan.loading} />;
  if (!rows.length) return <Empty title={texts.vm.emptyTitle} body={texts.vm.emptyBody} />;

  const text = search.trim().toLowerCase();
  const found = rows.filter((vm) => !text || vmName(vm).toLowerCase().includes(text));
  const shown = found.slice((page - 1) * perPage, page * perPage);
  const cancelable = (vm: VmRow): boolean => {
    const at = vmState(vm, started, warm);
    return running && !!migration && !asked.has(vm.id ?? vm.name) && !['Succeeded', 'Failed', 'Canceled'].includes(at);
  };
  const chosen = rows.filter((vm) => selected.has(rowKey(vm)) && cancelable(vm));
  const toggle = (set: ReadonlySet<string>, key: string): ReadonlySet<string> => {
    const next = new Set(set);
    if (!next.delete(key)) next.add(key);
    return next;
  };
  const width = running ? 8 : 7;

  return (
    <>
      <Toolbar>
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
          {running && (
            <ToolbarItem>
              <Button variant="secondary" isDisabled={!chosen.length} onClick={() => setCanceling(true)}>
                {texts.plan.cancelVms}
                {chosen.length > 0 && ` (${chosen.length})`}
              </Button>
            </ToolbarItem>
          )}
          {found.length > 10 && (
            <ToolbarItem variant="pagination" align={{ default: 'alignEnd' }}>
              <Pagination
                itemCount={found.length}
                page={page}
                perPage={perPage}
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
            {running && <Th screenReaderText={texts.vm.selectAll} />}
            <Th>{texts.common.name}</Th>
            <Th>{texts.vm.state}</Th>
            <Th>{texts.vm.pipeline}</Th>
            <Th>{texts.vm.copied}</Th>
            <Th>{texts.vm.rate}</Th>
            <Th>{texts.vm.elapsed}</Th>
          </Tr>
        </Thead>
        {shown.map((vm, index) => {
          const key = rowKey(vm);
          const expanded = open.has(key);
          const at = vmState(vm, started, warm);
          return (
            <Tbody key={key} isExpanded={expanded}>
              <Tr>
                <Td
                  expand={{
                    rowIndex: index,
                    isExpanded: expanded,
                    onToggle: () => setOpen(toggle(open, key)),
                    expandId: `vm-${key}-`,
                  }}
                />
                {running && (
                  <Td
                    select={{
                      rowIndex: index,
                      isSelected: selected.has(key) && cancelable(vm),
                      isDisabled: !cancelable(vm),
                      onSelect: () => setSelected(toggle(selected, key)),
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
      {!found.length && <Empty title={texts.common.noMatch} />}
      {canceling && migration && (
        <CancelVmsDialog
          migration={migration}
          vms={chosen}
          onClose={() => {
            setCanceling(false);
            setSelected(new Set());
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
  const pending = vm.conditions?.find((c) => c.type === 'Pending' && c.status === 'True');
  const { status, color } = looks[at];

  return (
    <>
      <Td dataLabel={texts.vm.state}>
        <Label status={status} color={color}>
          {texts.vmState[at]}
        </Label>
        {where && <div className="gantry-subtle gantry-nowrap">{where}</div>}
        {at === 'Queued' && pending?.message && <div className="gantry-subtle">{pending.message}</div>}
        {at === 'WaitingCutover' && vm.warm?.nextPrecopyAt && (
          <div className="gantry-subtle">{texts.vm.nextCopy(duration((Date.parse(vm.warm.nextPrecopyAt) - now) / 1000))}</div>
        )}
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
  const copies = vm.warm?.precopies?.length ?? 0;
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
          </section>
        )}
        {!!disksOf(vm).length && (
          <section aria-label={texts.vm.disks}>
            <Title headingLevel="h3" size="md" className="gantry-mb-sm">
              {texts.vm.disks}
            </Title>
            <Disks vm={vm} store={store} now={now} running={at === 'Running' || at === 'Copying'} />
            {copies > 0 && <p className="gantry-subtle">{texts.vm.copies(copies)}</p>}
            {(vm.warm?.consecutiveFailures ?? 0) > 0 && <p className="gantry-subtle">{texts.vm.retries(vm.warm!.consecutiveFailures!)}</p>}
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
        <Button variant="link" isInline onClick={onLogs}>
          {texts.vm.logs}
        </Button>
      )}
    </>
  );
}

// Concerns come from the inventory, when somebody opens the row.
function VmConcerns({ plan, vm }: { plan: Plan; vm: VmRow }) {
  const store = useStore();
  const provider = store.get('Provider', plan.spec.provider.source.name);
  const [concerns, setConcerns] = useState<Concern[] | null>();
  const id = vm.id;
  const providerUid = provider?.metadata.uid;

  useEffect(() => {
    if (!provider || !id) return;
    let live = true;
    cluster.vmOf(provider as Provider, id).then(
      (found) => live && setConcerns(found.concerns ?? []),
      () => live && setConcerns(null),
    );
    return () => {
      live = false;
    };
    // The provider's uid stands for it: its status changes often and does not matter here.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [providerUid, id]);

  if (concerns === undefined) return <p className="gantry-subtle">{texts.common.loading}</p>;
  if (concerns === null) return <p className="gantry-subtle">{texts.common.unknown}</p>;
  return <Concerns concerns={concerns} />;
}
