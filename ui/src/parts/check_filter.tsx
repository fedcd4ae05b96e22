// A filter of a toolbar: any of the checked values; what is checked is shown below with a button to take it off.
import { MenuToggle, Select, SelectList, SelectOption, ToolbarFilter } from '@patternfly/react-core';
import { useState } from 'react';

interface Props<T extends string> {
  title: string;
  options: { value: T; label: string }[];
  chosen: T[];
  choose: (values: T[]) => void;
}

export function CheckFilter<T extends string>({ title, options, chosen, choose }: Props<T>) {
  const [open, setOpen] = useState(false);
  const toggle = (value: T) => choose(chosen.includes(value) ? chosen.filter((each) => each !== value) : [...chosen, value]);
  const labels = options.filter(({ value }) => chosen.includes(value)).map(({ value, label }) => ({ key: value, node: label }));
  return (
    <ToolbarFilter
      categoryName={title}
      labels={labels}
      deleteLabel={(_category, label) => toggle((typeof label === 'string' ? label : label.key) as T)}
      deleteLabelGroup={() => choose([])}
    >
      <Select
        isOpen={open}
        onOpenChange={setOpen}
        selected={chosen}
        onSelect={(_event, value) => toggle(value as T)}
        toggle={(ref) => (
          <MenuToggle ref={ref} isExpanded={open} onClick={() => setOpen(!open)}>
            {title}
          </MenuToggle>
        )}
      >
        <SelectList>
          {options.map(({ value, label }) => (
            <SelectOption key={value} value={value} hasCheckbox isSelected={chosen.includes(value)}>
              {label}
            </SelectOption>
          ))}
        </SelectList>
      </Select>
    </ToolbarFilter>
  );
}
