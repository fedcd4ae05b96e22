// Fields of forms that say what is wrong with what was typed, once it has been touched.
import { FormGroup, FormHelperText, HelperText, HelperTextItem, MenuToggle, MenuToggleElement, Select, SelectList, SelectOption, TextArea, TextInput } from '@patternfly/react-core';
import { useState, type ReactNode, type Ref } from 'react';
import type { Mistake } from '../model/names';
import { texts } from '../texts';

function Hint({ id, mistake, help }: { id: string; mistake?: Mistake; help?: ReactNode }) {
  if (!mistake && !help) return null;
  return (
    <FormHelperText>
      <HelperText id={`${id}-hint`} isLiveRegion={!!mistake}>
        <HelperTextItem variant={mistake ? 'error' : 'default'}>{mistake ? texts.mistake[mistake] : help}</HelperTextItem>
      </HelperText>
    </FormHelperText>
  );
}

interface FieldProps {
  id: string;
  label: string;
  value: string;
  onChange: (value: string) => void;
  mistake?: Mistake;
  help?: ReactNode;
  required?: boolean;
  disabled?: boolean;
  type?: 'text' | 'password' | 'number';
  lines?: number;
  short?: boolean; // a number or an amount
}

export function Field({ id, label, value, onChange, mistake, help, required, disabled, type = 'text', lines, short }: FieldProps) {
  const [touched, setTouched] = useState(false);
  const shown = touched ? mistake : undefined;
  const common = {
    id,
    value,
    isRequired: required,
    isDisabled: disabled,
    validated: shown ? ('error' as const) : ('default' as const),
    'aria-describedby': shown || help ? `${id}-hint` : undefined,
    onBlur: () => setTouched(true),
  };
  return (
    <FormGroup label={label} fieldId={id} isRequired={required}>
      {lines ? (
        <TextArea {...common} rows={lines} resizeOrientation="vertical" onChange={(_event, text) => onChange(text)} />
      ) : (
        <TextInput
          {...common}
          type={type}
          className={short ? 'gantry-short' : undefined}
          autoComplete={type === 'password' ? 'new-password' : 'off'}
          spellCheck={false}
          onChange={(_event, text) => onChange(text)}
        />
      )}
      <Hint id={id} mistake={shown} help={help} />
    </FormGroup>
  );
}

export interface Choice {
  value: string;
  label: string;
  description?: string;
  disabled?: boolean;
}

interface ChooseProps {
  id: string;
  label: string;
  value: string;
  choices: Choice[];
  onChange: (value: string) => void;
  help?: ReactNode;
  required?: boolean;
  disabled?: boolean;
  bare?: boolean; // without its own label above
}

// What lies beside an open dialog is hidden from screen readers, so its lists go into the dialog's own layer.
const layerOf = (id: string): HTMLElement => document.getElementById(id)?.closest<HTMLElement>('.pf-v6-c-backdrop') ?? document.body;

export function Choose({ id, label, value, choices, onChange, help, required, disabled, bare }: ChooseProps) {
  const [open, setOpen] = useState(false);
  const chosen = choices.find((choice) => choice.value === value);
  const select = (
    <Select
      id={`${id}-list`}
      isOpen={open}
      onOpenChange={setOpen}
      selected={value}
      onSelect={(_event, picked) => {
        onChange(String(picked));
        setOpen(false);
      }}
      toggle={(ref: Ref<MenuToggleElement>) => (
        <MenuToggle
          ref={ref}
          id={id}
          isFullWidth
          isExpanded={open}
          isDisabled={disabled}
          onClick={() => setOpen(!open)}
          aria-label={`${label}: ${chosen?.label ?? texts.mappings.choose}`}
        >
          {chosen?.label ?? texts.mappings.choose}
        </MenuToggle>
      )}
      shouldFocusToggleOnSelect
      popperProps={{ appendTo: () => layerOf(id) }}
      maxMenuHeight="18rem"
      isScrollable
    >
      <SelectList aria-label={label}>
        {choices.map((choice) => (
          <SelectOption key={choice.value} value={choice.value} description={choice.description} isDisabled={choice.disabled}>
            {choice.label}
          </SelectOption>
        ))}
      </SelectList>
    </Select>
  );
  if (bare) return select;
  return (
    <FormGroup label={label} fieldId={id} isRequired={required}>
      {select}
      <Hint id={id} help={help} />
    </FormGroup>
  );
}

// A text that may be typed, pasted, or taken from a file.
export function PemField(props: FieldProps) {
  return (
    <>
      <Field {...props} lines={6} />
      <input
        type="file"
        className="gantry-file"
        aria-label={`${props.label}: ${texts.providers.field.caChoose}`}
        onChange={(event) => void event.target.files?.[0]?.text().then(props.onChange)}
      />
    </>
  );
}
