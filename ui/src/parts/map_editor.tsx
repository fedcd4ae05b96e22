// The rows of a map: source, target, and the button that takes the row away.
import { Button, FormGroup } from '@patternfly/react-core';
import MinusCircleIcon from '@patternfly/react-icons/dist/esm/icons/minus-circle-icon';
import PlusCircleIcon from '@patternfly/react-icons/dist/esm/icons/plus-circle-icon';
import type { MapKind, MapRow } from '../model/mapping';
import { texts } from '../texts';
import { Choose, type Choice } from './fields';

const t = texts.mappings;

interface Props {
  kind: MapKind;
  ovirt: boolean;
  rows: MapRow[];
  sources: Choice[];
  targets: Choice[];
  fallback: string; // the target of a new row
  fixed?: boolean; // the sources are given, as a plan needs them
  onChange: (rows: MapRow[]) => void;
}

export function MapEditor({ kind, ovirt, rows, sources, targets, fallback, fixed, onChange }: Props) {
  const used = new Set(rows.map((row) => row.source));
  const free = sources.filter((source) => !used.has(source.value));
  const sourceLabel = kind === 'network' ? t.sourceNetwork : ovirt ? t.sourceDomain : t.sourceDatastore;
  const targetLabel = kind === 'network' ? t.targetNetwork : t.targetClass;
  const change = (index: number, part: Partial<MapRow>) => onChange(rows.map((row, n) => (n === index ? { ...row, ...part } : row)));
  const known = (choices: Choice[], value: string): Choice[] =>
    !value || choices.some((choice) => choice.value === value) ? choices : [...choices, { value, label: t.gone(value) }];

  return (
    <div className="gantry-stack">
      {rows.map((row, index) => (
        <div key={index} className="gantry-mapping-row">
          <FormGroup label={index === 0 ? sourceLabel : undefined} fieldId={`${kind}-source-${index}`}>
            {fixed ? (
              <span className="gantry-fixed-source gantry-break">{sources.find((source) => source.value === row.source)?.label ?? t.gone(row.source)}</span>
            ) : (
              <Choose
                bare
                id={`${kind}-source-${index}`}
                label={sourceLabel}
                value={row.source}
                choices={known([...sources.filter((source) => source.value === row.source), ...free], row.source)}
                onChange={(source) => change(index, { source })}
              />
            )}
          </FormGroup>
          <span aria-hidden className="gantry-fixed-source">→</span>
          <FormGroup label={index === 0 ? targetLabel : undefined} fieldId={`${kind}-target-${index}`}>
            <Choose
              bare
              id={`${kind}-target-${index}`}
              label={targetLabel}
              value={row.target}
              choices={known(targets, row.target)}
              onChange={(target) => change(index, { target })}
            />
          </FormGroup>
          {!fixed && (
            <Button variant="plain" icon={<MinusCircleIcon />} aria-label={t.removeRow} onClick={() => onChange(rows.filter((_row, n) => n !== index))} />
          )}
        </div>
      ))}
      {!fixed && (
        <div className="gantry-row">
          <Button variant="link" icon={<PlusCircleIcon />} isDisabled={!free.length} onClick={() => onChange([...rows, { source: free[0]?.value ?? '', target: fallback }])}>
            {t.addRow}
          </Button>
          {rows.length > 1 && (
            <Button variant="link" onClick={() => onChange([])}>
              {t.removeAll}
            </Button>
          )}
          {!free.length && sources.length > 0 && <span className="gantry-subtle">{t.allMapped}</span>}
        </div>
      )}
    </div>
  );
}
