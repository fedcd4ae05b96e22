// A plan's state as a label, and how far it is as a bar.
import { Label, Progress, ProgressMeasureLocation, ProgressSize } from '@patternfly/react-core';
import InProgressIcon from '@patternfly/react-icons/dist/esm/icons/in-progress-icon';
import type { Store } from '../api/store';
import { problems } from '../model/conditions';
import { bytes, duration, percent, rate } from '../model/format';
import { isActive, type PlanState } from '../model/plan_state';
import type { Plan } from '../model/types';
import { texts } from '../texts';
import { ConditionList, StatusPopover } from './conditions';

const looks: Record<PlanState, { status?: 'success' | 'warning' | 'danger' | 'info'; busy?: boolean; color?: 'blue' | 'grey' | 'teal' }> = {
  Deleting: { busy: true },
  Validating: { busy: true },
  Unknown: { status: 'warning' },
  Archived: { color: 'grey' },
  Archiving: { busy: true },
  Starting: { color: 'blue', busy: true },
  Ready: { color: 'teal' },
  NotReady: { status: 'warning' },
  CopyingCanceled: { color: 'grey' },
  CopyingFailed: { status: 'danger' },
  Canceled: { color: 'grey' },
  Failed: { status: 'danger' },
  Incomplete: { status: 'warning' },
  StartingCutover: { color: 'blue', busy: true },
  Running: { color: 'blue', busy: true },
  CutoverScheduled: { color: 'blue', busy: true },
  Copying: { color: 'blue', busy: true },
  Succeeded: { status: 'success' },
};

export function PlanStateLabel({ plan, state }: { plan: Plan; state: PlanState }) {
  const { status, busy, color } = looks[state];
  const found = problems(plan);
  if ((state === 'NotReady' || state === 'Ready' || state === 'Unknown') && found.length)
    return (
      <StatusPopover
        label={texts.planState[state]}
        status={state === 'Ready' ? 'info' : 'warning'}
        title={state === 'Ready' ? texts.plan.warnings : texts.plans.whyNotReady}
      >
        <ConditionList conditions={found} />
      </StatusPopover>
    );
  return (
    <Label status={status} color={color} icon={busy ? <InProgressIcon /> : undefined}>
      {texts.planState[state]}
    </Label>
  );
}

// What the meters tell of a running plan: "412 MiB/s, 3 min left".
export function planSpeed(store: Store, plan: Plan): { rate?: number; left?: number } {
  const meter = store.planMeter(plan.metadata.name);
  const total = plan.status?.bytes.total ?? 0;
  const done = plan.status?.bytes.done ?? 0;
  if (!meter || !total || done >= total) return {};
  return { rate: meter.rate(), left: meter.left(total) };
}

// brief: without what the page around it says already.
export function PlanProgress({ plan, state, store, brief }: { plan: Plan; state: PlanState; store: Store; brief?: boolean }) {
  const status = plan.status;
  if (!status?.started) return null;
  const { vms, bytes: moved } = status;
  const ended = vms.succeeded + vms.failed + vms.canceled;
  const running = isActive(state);
  const value = running && moved.total ? Math.max(percent(moved.done, moved.total), percent(ended, vms.total)) : percent(ended, vms.total);
  const { rate: perSecond, left } = running && !brief ? planSpeed(store, plan) : {};
  const variant = vms.failed ? 'danger' : vms.canceled || (!running && vms.succeeded < vms.total) ? 'warning' : vms.succeeded === vms.total ? 'success' : undefined;
  const facts = [
    vms.failed ? texts.plans.failedCount(vms.failed) : '',
    vms.canceled ? texts.plans.canceledCount(vms.canceled) : '',
    running && vms.queued ? texts.plans.queuedCount(vms.queued) : '',
    running && !brief && moved.total ? `${bytes(moved.done)} / ${bytes(moved.total)}` : '',
    perSecond ? rate(perSecond) : '',
    left !== undefined && Number.isFinite(left) ? texts.plans.left(duration(left)) : '',
  ].filter(Boolean);
  return (
    <div className="gantry-progress">
      <Progress
        aria-label={`${texts.plans.progress}: ${plan.metadata.name}`}
        value={value}
        size={ProgressSize.sm}
        measureLocation={ProgressMeasureLocation.none}
        variant={variant}
      />
      <div className="gantry-subtle gantry-numbers">
        {texts.plans.migrated(vms.succeeded, vms.total)}
        {facts.length ? `, ${facts.join(', ')}` : ''}
      </div>
    </div>
  );
}

export const typeText = (plan: Plan): string => {
  switch (plan.spec.type ?? (plan.spec.warm ? 'warm' : 'cold')) {
    case 'warm':
      return texts.plans.warm;
    case 'live':
      return texts.plans.live;
    case 'conversion':
      return texts.plans.conversion;
    default:
      return texts.plans.cold;
  }
};
