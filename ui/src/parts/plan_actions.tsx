// What can be done to a plan, with the questions that come before. What is not possible now is disabled and says why.
import { Alert, Button, Dropdown, DropdownItem, DropdownList, Form, FormGroup, MenuToggle, Radio, TextInput, Tooltip } from '@patternfly/react-core';
import EllipsisVIcon from '@patternfly/react-icons/dist/esm/icons/ellipsis-v-icon';
import { useState } from 'react';
import { useNavigate } from 'react-router-dom';
import * as cluster from '../api/cluster';
import { useDenied } from '../api/rights';
import { isBlocked } from '../model/conditions';
import {
  canArchive,
  canCutover,
  canDelete,
  canEdit,
  canRestart,
  canStart,
  isWarm,
  newestMigration,
  type PlanState,
} from '../model/plan_state';
import { duration } from '../model/format';
import type { Migration, Plan } from '../model/types';
import { texts } from '../texts';
import { Confirm } from './confirm';
import { useAttempt } from './notices';

type Dialog = 'start' | 'cutover' | 'archive' | 'delete';

interface Props {
  plan: Plan;
  state: PlanState;
  migrations: Migration[];
  compact?: boolean; // in a table row
}

export function PlanActions({ plan, state, migrations, compact }: Props) {
  const [dialog, setDialog] = useState<Dialog>();
  const close = () => setDialog(undefined);
  const migration = newestMigration(plan, migrations);

  return (
    <>
      <MainButton plan={plan} state={state} compact={compact} open={setDialog} />
      <Menu plan={plan} state={state} migration={migration} open={setDialog} />
      {dialog === 'start' && <StartDialog plan={plan} restart={canRestart(state)} onClose={close} />}
      {dialog === 'cutover' && migration && <CutoverDialog plan={plan} migration={migration} onClose={close} />}
      {dialog === 'archive' && (
        <Confirm
          title={texts.plan.archiveTitle(plan.metadata.name)}
          confirm={texts.plan.archive}
          danger
          onConfirm={() => cluster.archivePlan(plan.metadata.name)}
          onClose={close}
        >
          {texts.plan.archiveBody}
        </Confirm>
      )}
      {dialog === 'delete' && <DeleteDialog plan={plan} onClose={close} />}
    </>
  );
}

const cutoverText = (state: PlanState): string => (state === 'CutoverScheduled' ? texts.plan.rescheduleCutover : texts.plan.cutover);

function MainButton({ plan, state, compact, open }: { plan: Plan; state: PlanState; compact?: boolean; open: (dialog: Dialog) => void }) {
  const name = plan.metadata.name;
  const variant = compact ? 'secondary' : 'primary';
  const size = compact ? 'sm' : 'default';
  const denied = useDenied();
  const action = canCutover(state)
    ? { label: cutoverText(state), dialog: 'cutover' as const, why: denied('patch', 'Migration') }
    : canRestart(state)
      ? { label: texts.plan.restart, dialog: 'start' as const, why: denied('create', 'Migration') }
      : state === 'Ready' || state === 'NotReady'
        ? { label: texts.plan.start, dialog: 'start' as const, why: denied('create', 'Migration') ?? (canStart(state) ? undefined : texts.plan.blockers) }
        : undefined;
  if (!action) return null;
  const button = (
    <Button variant={variant} size={size} isAriaDisabled={!!action.why} onClick={() => open(action.dialog)} aria-label={`${action.label}: ${name}`}>
      {action.label}
    </Button>
  );
  return action.why ? <Tooltip content={action.why}>{button}</Tooltip> : button;
}

// An entry that is not possible says why.
function Entry({ label, why, danger, onClick }: { label: string; why?: string; danger?: boolean; onClick: () => void }) {
  return (
    <DropdownItem onClick={why ? undefined : onClick} isAriaDisabled={!!why} tooltipProps={why ? { content: why } : undefined} isDanger={danger}>
      {label}
    </DropdownItem>
  );
}

function Menu({ plan, state, migration, open }: { plan: Plan; state: PlanState; migration?: Migration; open: (dialog: Dialog) => void }) {
  const [expanded, setExpanded] = useState(false);
  const navigate = useNavigate();
  const attempt = useAttempt();
  const denied = useDenied();
  const name = plan.metadata.name;
  return (
    <Dropdown
      isOpen={expanded}
      onOpenChange={setExpanded}
      onSelect={() => setExpanded(false)}
      popperProps={{ position: 'right' }}
      toggle={(ref) => (
        <MenuToggle
          ref={ref}
          variant="plain"
          icon={<EllipsisVIcon />}
          isExpanded={expanded}
          onClick={() => setExpanded(!expanded)}
          aria-label={texts.common.options(name)}
        />
      )}
    >
      <DropdownList>
        <Entry label={texts.plan.edit} why={denied('patch', 'Plan') ?? (canEdit(plan, state) ? undefined : texts.plan.cannotEdit)} onClick={() => navigate(`/plans/${name}/edit`)} />
        <Entry label={texts.plan.duplicate} why={denied('create', 'Plan')} onClick={() => navigate(`/plans/${name}/duplicate`)} />
        <Entry label={texts.plan.view} onClick={() => navigate(`/plans/${name}?tab=details`)} />
        {canRestart(state) && <Entry label={texts.plan.restart} why={denied('create', 'Migration')} onClick={() => open('start')} />}
        {state === 'CutoverScheduled' && migration && (
          <Entry
            label={texts.plan.cancelCutover}
            why={denied('patch', 'Migration')}
            onClick={() => void attempt(texts.plan.cancelCutover, () => cluster.cutover(migration, null))}
          />
        )}
        {!plan.spec.archived && (
          <Entry label={texts.plan.archive} why={denied('patch', 'Plan') ?? (canArchive(state) ? undefined : texts.plan.cannotArchive)} onClick={() => open('archive')} />
        )}
        <Entry label={texts.plan.delete} danger why={denied('delete', 'Plan') ?? (canDelete(state) ? undefined : texts.plan.cannotDelete)} onClick={() => open('delete')} />
      </DropdownList>
    </Dropdown>
  );
}

function StartDialog({ plan, restart, onClose }: { plan: Plan; restart: boolean; onClose: () => void }) {
  const navigate = useNavigate();
  const name = plan.metadata.name;
  const total = plan.status?.vms.total ?? 0;
  return (
    <Confirm
      title={restart ? texts.plan.restartTitle(name) : texts.plan.startTitle(name)}
      confirm={restart ? texts.plan.restart : texts.plan.start}
      onConfirm={async () => {
        await cluster.startPlan(plan);
        navigate(`/plans/${name}`);
      }}
      onClose={onClose}
    >
      {restart && isBlocked(plan) && <Alert isInline variant="warning" title={texts.plan.blockers} />}
      {restart && <p className="gantry-mb-md">{texts.plan.restartBody}</p>}
      <p>{isWarm(plan) ? texts.plan.startWarm(total) : texts.plan.startCold(total)}</p>
    </Confirm>
  );
}

// "2026-11-23T14:05", as the field for a local date and time wants it.
const local = (date: Date): string => new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);

function CutoverDialog({ plan, migration, onClose }: { plan: Plan; migration: Migration; onClose: () => void }) {
  const [later, setLater] = useState(!!migration.spec.cutover);
  const [when, setWhen] = useState(local(migration.spec.cutover ? new Date(migration.spec.cutover) : new Date(Date.now() + 3600_000)));
  const date = new Date(when);
  const past = later && !(date.getTime() > Date.now());
  const expected = plan.status?.cutover;
  return (
    <Confirm
      title={texts.plan.cutoverTitle(plan.metadata.name)}
      confirm={texts.plan.cutoverSet}
      disabled={past}
      onConfirm={() => cluster.cutover(migration, later ? date : new Date())}
      onClose={onClose}
    >
      <p className="gantry-mb-md">{texts.plan.cutoverBody}</p>
      <Alert isInline isPlain variant="info" title={expected ? texts.plan.expectedDowntime(duration(expected.seconds), expected.vms) : texts.plan.noForecast} className="gantry-mb-md" />
      <Form>
        <FormGroup role="radiogroup" fieldId="cutover" label={texts.plan.cutover}>
          <Radio id="cutover-now" name="cutover" label={texts.plan.cutoverNow} isChecked={!later} onChange={() => setLater(false)} />
          <Radio id="cutover-later" name="cutover" label={texts.plan.cutoverLater} isChecked={later} onChange={() => setLater(true)} />
        </FormGroup>
        {later && (
          <FormGroup label={texts.plan.cutoverDate} fieldId="cutover-when">
            <TextInput
              id="cutover-when"
              type="datetime-local"
              value={when}
              validated={past ? 'error' : 'default'}
              onChange={(_event, value) => setWhen(value)}
            />
            {past ? <p role="alert">{texts.mistake.past}</p> : <p className="gantry-subtle">{texts.plan.utc(date.toISOString().slice(0, 16).replace('T', ' '))}</p>}
          </FormGroup>
        )}
      </Form>
    </Confirm>
  );
}

function DeleteDialog({ plan, onClose }: { plan: Plan; onClose: () => void }) {
  const navigate = useNavigate();
  return (
    <Confirm
      title={texts.plan.deleteTitle(plan.metadata.name)}
      confirm={texts.plan.delete}
      danger
      onConfirm={async () => {
        await cluster.remove('Plan', plan.metadata.name);
        navigate('/plans');
      }}
      onClose={onClose}
    >
      <p>{texts.plan.deleteBody}</p>
      {plan.status?.started && !plan.spec.archived && <Alert isInline variant="warning" title={texts.plan.deleteStarted} className="gantry-mt-md" />}
    </Confirm>
  );
}

// Which of a plan's VMs may still be canceled is decided where they are listed.
export function CancelVmsDialog({ migration, vms, onClose }: { migration: Migration; vms: { id?: string; name?: string }[]; onClose: () => void }) {
  return (
    <Confirm
      title={texts.plan.cancelTitle(vms.length)}
      confirm={texts.plan.cancelConfirm}
      cancel={texts.plan.keepGoing}
      danger
      onConfirm={() => cluster.cancelVms(migration, vms)}
      onClose={onClose}
    >
      <p>{texts.plan.cancelBody}</p>
      <ul>
        {vms.map((vm) => (
          <li key={vm.id ?? vm.name}>{vm.name ?? vm.id}</li>
        ))}
      </ul>
    </Confirm>
  );
}

