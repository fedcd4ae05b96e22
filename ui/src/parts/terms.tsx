// Terms of one thing, each with its value.
import { DescriptionList, DescriptionListDescription, DescriptionListGroup, DescriptionListTerm, type DescriptionListProps } from '@patternfly/react-core';

interface TermsProps extends Pick<DescriptionListProps, 'isCompact' | 'isHorizontal' | 'columnModifier'> {
  rows: [term: string, value: string | undefined][];
  missing?: string; // stands for a value that there is none of
}

export function Terms({ rows, missing, ...looks }: TermsProps) {
  return (
    <DescriptionList {...looks}>
      {rows.map(([term, value]) => (
        <DescriptionListGroup key={term}>
          <DescriptionListTerm>{term}</DescriptionListTerm>
          <DescriptionListDescription className="gantry-break">{value ?? missing}</DescriptionListDescription>
        </DescriptionListGroup>
      ))}
    </DescriptionList>
  );
}
