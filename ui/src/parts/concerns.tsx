// What validation found about a VM that may not work as before.
import { Label, List, ListItem } from '@patternfly/react-core';
import type { Concern } from '../model/types';
import { texts } from '../texts';

const weights = ['Critical', 'Warning', 'Advisory', 'Information'];

export const worstConcern = (concerns: Concern[] | undefined): string =>
  weights.find((category) => concerns?.some((concern) => concern.category === category)) ?? 'Ok';

const looks: Record<string, 'danger' | 'warning' | 'info' | 'success'> = { Critical: 'danger', Warning: 'warning', Advisory: 'info', Information: 'info', Ok: 'success' };

export function ConcernLabel({ category }: { category: string }) {
  return (
    <Label isCompact status={looks[category] ?? 'info'}>
      {texts.concern.category[category] ?? category}
    </Label>
  );
}

export function Concerns({ concerns }: { concerns: Concern[] | undefined }) {
  if (!concerns?.length) return <p>{texts.vm.noConcerns}</p>;
  const sorted = [...concerns].sort((a, b) => weights.indexOf(a.category) - weights.indexOf(b.category));
  return (
    <List isPlain>
      {sorted.map((concern) => (
        <ListItem key={`${concern.id ?? ''}${concern.label}`}>
          <ConcernLabel category={concern.category} /> <strong>{concern.label}</strong>
          <div className="gantry-subtle">{concern.assessment}</div>
        </ListItem>
      ))}
    </List>
  );
}
