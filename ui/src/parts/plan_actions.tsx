// What can be done to a plan, with the questions that come before. What is not possible now is disabled and says why.
import { Alert, Button, Dropdown, DropdownItem, DropdownList, Form, FormGroup, MenuToggle, Radio, TextInput, Tooltip } from '@patternfly/react-core';
import EllipsisVIcon from '@patternfly/react-icons/dist/esm/icons/ellipsis-v-icon';
import { useState } from 'react';
import { useNavigate } from 'react-router-dom';
import * as cluster from '../api/cluster';
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
import type { Migration, Plan } from '../model/types';
import { texts } from '../texts';
import { Confirm } from './confirm';

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
  if (canCutover(state))
    return (
      <Button variant={variant} size={size} onClick={() => open('cutover')} aria-label={`${cutoverText(state)}: ${name}`}>
        {cutoverText(state)}
      </Button>
    );
  if (canRestart(state))
    return (
      <Button variant={variant} size={size} onClick={() => open('start')} aria-label={`${texts.plan.restart}: ${name}`}>
        {texts.plan.restart}
      </Button>
    );
  if (state === 'Ready' || state === 'NotReady') {
    const button = (
      <Button variant={variant} size={size} isAriaDisabled={!canStart(state)} onClick={() => open('start')} aria-label={`${texts.plan.start}: ${name}`}>
        {texts.plan.start}
      </Button>
    );
    return canStart(state) ? button : <Tooltip content={texts.plan.blockers}>{button}</Tooltip>;
  }
  return null;
}

function Menu({ plan, state, migration, open }: { plan: Plan; state: PlanState; migration?: Migration; open: (dialog: Dialog) => void }) {
  const [expanded, setExpanded] = useState(false);
  const navigate = useNavigate();
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
        <DropdownItem onClick={() => navigate(`/plans/${name}/edit`)} isDisabled={!canEdit(plan, state)}>
          {texts.plan.edit}
        </DropdownItem>
        <DropdownItem onClick={() => navigate(`/plans/${name}/duplicate`)}>{texts.plan.duplicate}</DropdownItem>
        <DropdownItem onClick={() => navigate(`/plans/${name}?tab=details`)}>{texts.common.details(name)}</DropdownItem>
        {canRestart(state) && <DropdownItem onClick={() => open('start')}>{texts.plan.restart}</DropdownItem>}
        {state === 'CutoverScheduled' && migration && (
          <DropdownItem onClick={() => void cluster.cutover(migration, null)}>{texts.plan.cancelCutover}</DropdownItem>
        )}
        {!plan.spec.archived && (
          <DropdownItem onClick={() => open('archive')} isDisabled={!canArchive(state)}>
            {texts.plan.archive}
          </DropdownItem>
        )}
        <DropdownItem onClick={() => open('delete')} isDisabled={!canDelete(state)} isDanger>
          {texts.plan.delete}
        </DropdownItem>
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
  return (
    <Confirm
      title={texts.plan.cutoverTitle(plan.metadata.name)}
      confirm={texts.plan.cutoverSet}
      disabled={past}
      onConfirm={() => cluster.cutover(migration, later ? date : new Date())}
      onClose={onClose}
    >
      <p className="gantry-mb-md">{texts.plan.cutoverBody}</p>
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
            {past && <p role="alert">{texts.mistake.past}</p>}
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

