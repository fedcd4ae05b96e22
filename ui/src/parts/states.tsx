// Pages that have nothing to show yet: loading, empty, forbidden.
import { Alert, Bullseye, EmptyState, EmptyStateActions, EmptyStateBody, EmptyStateFooter, Spinner } from '@patternfly/react-core';
import type { ComponentType, ReactNode } from 'react';
import { useStore } from '../api/store';
import type { Kind } from '../model/types';
import { texts } from '../texts';

export function Loading({ title }: { title: string }) {
  return (
    <Bullseye>
      <EmptyState titleText={title} headingLevel="h2" icon={Spinner} />
    </Bullseye>
  );
}

export function Empty({ title, body, icon, actions }: { title: string; body?: ReactNode; icon?: ComponentType; actions?: ReactNode }) {
  return (
    <EmptyState titleText={title} headingLevel="h2" icon={icon} variant="lg">
      {body && <EmptyStateBody>{body}</EmptyStateBody>}
      {actions && (
        <EmptyStateFooter>
          <EmptyStateActions>{actions}</EmptyStateActions>
        </EmptyStateFooter>
      )}
    </EmptyState>
  );
}

// Says which of the kinds that a page needs cannot be read, and why.
export function Troubles({ kinds }: { kinds: Kind[] }) {
  const store = useStore();
  return (
    <>
      {kinds.map((kind) => {
        const trouble = store.trouble(kind);
        if (!trouble) return null;
        const forbidden = trouble.reason === 'Forbidden';
        return (
          <Alert key={kind} isInline variant={forbidden ? 'warning' : 'danger'} title={texts.shell.troubleTitle(kind)}>
            {forbidden ? texts.shell.forbidden(kind) : null} <span className="gantry-subtle gantry-break">{trouble.message}</span>
          </Alert>
        );
      })}
    </>
  );
}
