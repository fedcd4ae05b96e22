// Conditions for people: the worst first, each with what to do about it.
import { Alert, Button, Label, List, ListItem, Popover } from '@patternfly/react-core';
import type { ReactNode } from 'react';
import { health, worstFirst, type HasConditions, type Health } from '../model/conditions';
import type { Category, Condition } from '../model/types';
import { texts } from '../texts';

type LabelStatus = 'success' | 'warning' | 'danger' | 'info' | 'custom';

const variants: Record<Category, 'danger' | 'warning' | 'info'> = {
  Critical: 'danger',
  Error: 'danger',
  Warn: 'warning',
  Required: 'info',
  Advisory: 'info',
};

const conditionVariant = (condition: Condition) => (condition.category ? variants[condition.category] : 'info');

const shown = 5;

function ConditionItems({ condition }: { condition: Condition }) {
  const items = condition.items ?? [];
  if (!items.length) return null;
  const more = (condition.itemCount ?? items.length) - Math.min(items.length, shown);
  return (
    <List>
      {items.slice(0, shown).map((item) => (
        <ListItem key={item} className="gantry-break">
          {item}
        </ListItem>
      ))}
      {more > 0 && <ListItem>{texts.plans.more(more)}</ListItem>}
    </List>
  );
}

// type: what it is about; the message is the sentence.
export function ConditionAlert({ condition }: { condition: Condition }) {
  return (
    <Alert isInline variant={conditionVariant(condition)} title={condition.message || condition.type}>
      <ConditionItems condition={condition} />
      {condition.suggestion && <p>{condition.suggestion}</p>}
      <p className="gantry-subtle">{[condition.type, condition.reason].filter(Boolean).join(', ')}</p>
    </Alert>
  );
}

export function ConditionList({ conditions }: { conditions: Condition[] }) {
  return (
    <List isPlain>
      {conditions.map((condition) => (
        <ListItem key={condition.type}>
          <strong>{condition.message || condition.type}</strong>
          <ConditionItems condition={condition} />
          {condition.suggestion && <p>{condition.suggestion}</p>}
        </ListItem>
      ))}
    </List>
  );
}

const healthStatus: Record<Health, LabelStatus | undefined> = {
  validating: undefined,
  critical: 'danger',
  error: 'danger',
  warning: 'warning',
  pending: 'info',
  ready: 'success',
  notReady: 'warning',
};

// A label that opens what is behind it.
export function StatusPopover({ label, status, title, children }: { label: string; status?: LabelStatus; title: string; children: ReactNode }) {
  return (
    <Popover headerContent={title} bodyContent={children} maxWidth="26rem">
      <Button variant="plain" className="gantry-label-button" aria-label={`${label}. ${title}`}>
        <Label status={status}>{label}</Label>
      </Button>
    </Popover>
  );
}

export function HealthLabel({ object }: { object: HasConditions }) {
  const state = health(object);
  const conditions = worstFirst(object.status?.conditions);
  const label = texts.health[state];
  if (!conditions.length) return <Label>{label}</Label>;
  return (
    <StatusPopover label={label} status={healthStatus[state]} title={texts.plan.conditions}>
      <ConditionList conditions={conditions} />
    </StatusPopover>
  );
}
