// The wizard's later steps: mappings, type, hooks, review.
import {
  Alert,
  Button,
  Checkbox,
  Form,
  FormGroup,
  Modal,
  ModalBody,
  ModalFooter,
  ModalHeader,
  Radio,
  Spinner,
} from '@patternfly/react-core';
import { Table, Tbody, Td, Th, Thead, Tr } from '@patternfly/react-table';
import { useState } from 'react';
import { parse } from 'yaml';
import type { InventoryVm } from '../../api/cluster';
import type { MapChoices } from '../../api/map_choices';
import { isReady } from '../../model/conditions';
import { usedRows, type MapKind, type MapRow } from '../../model/mapping';
import { nameMistake } from '../../model/names';
import type { NetworkMap, StorageMap } from '../../model/types';
import { Terms } from '../../parts/terms';
import { Choose, Field } from '../../parts/fields';
import { MapEditor } from '../../parts/map_editor';
import { texts } from '../../texts';
import type { HookDraft, HookStep, MapDraft, PlanDraft, Power } from './draft';
import type { StepProps } from './steps';

const t = texts.wizard;

interface MapsProps {
  kind: MapKind;
  map: MapDraft;
  shared: (NetworkMap | StorageMap)[];
  taken: string[];
  ovirt: boolean;
  choices: MapChoices | undefined;
  problem?: string;
  used: string[];
  onChange: (map: MapDraft) => void;
}

export function Maps({ kind, map, shared, taken, ovirt, choices, problem, used, onChange }: MapsProps) {
  if (problem) return <Alert isInline variant="danger" title={problem} />;
  if (!choices) return <Spinner aria-label={texts.common.loading} />;
  const rows: MapRow[] = usedRows(map.rows, used);
  return (
    <Form>
      <FormGroup role="radiogroup" fieldId={`${kind}-mode`} label={kind === 'network' ? t.networkMap : t.storageMap}>
        <Radio
          id={`${kind}-existing`}
          name={`${kind}-mode`}
          label={t.existingMap}
          isChecked={!!map.existing}
          isDisabled={!shared.length}
          onChange={() => onChange({ ...map, existing: shared.find(isReady)?.metadata.name ?? shared[0]?.metadata.name ?? '' })}
        />
        <Radio id={`${kind}-new`} name={`${kind}-mode`} label={t.newMap} isChecked={!map.existing} onChange={() => onChange({ ...map, existing: '' })} />
      </FormGroup>
      {map.existing ? (
        <Choose
          id={`${kind}-map`}
          label={t.existingMap}
          value={map.existing}
          choices={shared.map((each) => ({
            value: each.metadata.name,
            label: each.metadata.name,
            disabled: !isReady(each),
            description: isReady(each) ? undefined : texts.mappings.invalid,
          }))}
          onChange={(existing) => onChange({ ...map, existing })}
        />
      ) : (
        <>
          {used.length ? (
            <MapEditor kind={kind} ovirt={ovirt} rows={rows} sources={choices.sources} targets={choices.targets} fallback={choices.fallback} fixed onChange={(next) => onChange({ ...map, rows: [...map.rows.filter((row) => !used.includes(row.source)), ...next] })} />
          ) : (
            <p>{t.mapNothing}</p>
          )}
          <Checkbox id={`${kind}-save`} label={t.mapSave} isChecked={map.save} onChange={(_event, save) => onChange({ ...map, save })} />
          {map.save && (
            <Field id={`${kind}-save-as`} label={t.mapName} value={map.saveAs} onChange={(saveAs) => onChange({ ...map, saveAs })} mistake={nameMistake(map.saveAs, taken)} required />
          )}
        </>
      )}
    </Form>
  );
}

const cbt = /changed block tracking/i;

const isAnalyzing = (vm: InventoryVm): boolean => vm.revisionValidated !== undefined && vm.revisionValidated !== vm.revision;

export function Type({ draft, change, vms, ovirt }: StepProps & { vms: InventoryVm[]; ovirt: boolean }) {
  const without = vms.filter((vm) => vm.concerns?.some((concern) => cbt.test(concern.label)));
  return (
    <Form>
      <FormGroup role="radiogroup" fieldId="plan-type" label={texts.plan.migrationType}>
        <Radio id="type-cold" name="type" label={t.cold} description={t.coldHelp} isChecked={!draft.warm} onChange={() => change({ warm: false })} />
        <Radio id="type-warm" name="type" label={t.warm} description={t.warmHelp} isChecked={draft.warm} onChange={() => change({ warm: true })} />
      </FormGroup>
      {draft.warm && vms.some(isAnalyzing) && (
        <p role="status">
          <Spinner size="md" aria-hidden /> {t.warmAnalyzing}
        </p>
      )}
      {draft.warm && without.length > 0 && (
        <Alert isInline variant="warning" title={t.warmCbt}>
          {without.map((vm) => vm.name).join(', ')}
        </Alert>
      )}
      <Choose
        id="plan-power"
        label={t.targetPower}
        value={draft.power}
        choices={(['auto', 'on', 'off'] as Power[]).map((value) => ({ value, label: t.targetPowers[value] }))}
        onChange={(power) => change({ power: power as Power })}
      />
      {!ovirt && (
        <FormGroup role="group" fieldId="plan-raw" label={t.guests}>
          <Checkbox id="plan-raw" label={t.raw} description={t.rawHelp} isChecked={draft.raw} onChange={(_event, raw) => change({ raw })} />
        </FormGroup>
      )}
    </Form>
  );
}

const stepLabel = (step: HookStep, warm: boolean): string =>
  step === 'PreHook' ? (warm ? t.hookPreWarm : t.hookPre) : warm ? t.hookPostWarm : t.hookPost;

export function Hooks({ draft, change, differing }: StepProps & { differing: boolean }) {
  const [edited, setEdited] = useState<HookDraft | 'new'>();
  const free = (['PreHook', 'PostHook'] as HookStep[]).filter((step) => !draft.hooks.some((hook) => hook.step === step));
  return (
    <div className="gantry-stack">
      <p>{t.hooksHelp}</p>
      {differing && <Alert isInline variant="warning" title={t.hookSame} />}
      {draft.hooks.length > 0 && (
        <Table aria-label={t.hooks} variant="compact">
          <Thead>
            <Tr>
              <Th>{t.hookStep}</Th>
              <Th>{t.hookDefinition}</Th>
              <Th screenReaderText={texts.common.actions} />
            </Tr>
          </Thead>
          <Tbody>
            {draft.hooks.map((hook) => (
              <Tr key={hook.step}>
                <Td dataLabel={t.hookStep}>{stepLabel(hook.step, draft.warm)}</Td>
                <Td dataLabel={t.hookDefinition} className="gantry-break">
                  {hook.playbook ? t.hookPlaybook : hook.image}
                </Td>
                <Td isActionCell>
                  <div className="gantry-actions">
                    <Button variant="link" onClick={() => setEdited(hook)}>
                      {texts.common.edit}
                    </Button>
                    <Button variant="link" onClick={() => change({ hooks: draft.hooks.filter((each) => each !== hook) })}>
                      {texts.common.remove}
                    </Button>
                  </div>
                </Td>
              </Tr>
            ))}
          </Tbody>
        </Table>
      )}
      <div>
        <Button variant="secondary" isDisabled={!free.length} onClick={() => setEdited('new')}>
          {t.addHook}
        </Button>{' '}
        {!free.length && <span className="gantry-subtle">{t.hookBoth}</span>}
      </div>
      {edited && (
        <HookDialog
          hook={edited === 'new' ? undefined : edited}
          steps={edited === 'new' ? free : [edited.step]}
          warm={draft.warm}
          onSave={(hook) => {
            change({ hooks: [...draft.hooks.filter((each) => each !== edited), hook].sort((a) => (a.step === 'PreHook' ? -1 : 1)) });
            setEdited(undefined);
          }}
          onClose={() => setEdited(undefined)}
        />
      )}
    </div>
  );
}

// What is wrong with a playbook, with line and column, or undefined.
function playbookProblem(text: string): string | undefined {
  try {
    return Array.isArray(parse(text)) ? undefined : texts.mistake.yaml;
  } catch (error) {
    return error instanceof Error ? error.message : texts.mistake.yaml;
  }
}

function HookDialog({ hook, steps, warm, onSave, onClose }: { hook?: HookDraft; steps: HookStep[]; warm: boolean; onSave: (hook: HookDraft) => void; onClose: () => void }) {
  const [step, setStep] = useState<HookStep>(hook?.step ?? steps[0]!);
  const [custom, setCustom] = useState(!!hook && !hook.playbook);
  const [playbook, setPlaybook] = useState(hook?.playbook ?? '');
  const [image, setImage] = useState(hook?.image ?? '');
  const problem = !custom && playbook.trim() ? playbookProblem(playbook) : undefined;
  const ok = custom ? !!image.trim() : !!playbook.trim() && !problem;
  const title = hook ? t.editHook : t.addHook;
  return (
    <Modal isOpen variant="medium" onClose={onClose} aria-label={title}>
      <ModalHeader title={title} />
      <ModalBody>
        <Form>
          <Choose id="hook-step" label={t.hookStep} value={step} choices={steps.map((value) => ({ value, label: stepLabel(value, warm) }))} onChange={(value) => setStep(value as HookStep)} disabled={!!hook} required />
          <FormGroup role="radiogroup" fieldId="hook-definition" label={t.hookDefinition}>
            <Radio id="hook-playbook-choice" name="hook" label={t.hookPlaybook} isChecked={!custom} onChange={() => setCustom(false)} />
            <Radio id="hook-image-choice" name="hook" label={t.hookImage} isChecked={custom} onChange={() => setCustom(true)} />
          </FormGroup>
          {custom ? (
            <Field id="hook-image" label={t.hookImage} value={image} onChange={setImage} mistake={image.trim() ? undefined : 'required'} required />
          ) : (
            <Field id="hook-playbook" label={t.hookPlaybook} value={playbook} onChange={setPlaybook} lines={12} required />
          )}
          {problem && <Alert isInline variant="danger" title={texts.mistake.yaml}><pre className="gantry-break">{problem}</pre></Alert>}
        </Form>
      </ModalBody>
      <ModalFooter>
        <Button isDisabled={!ok} onClick={() => onSave({ step, playbook: custom ? '' : playbook, image: custom ? image.trim() : '', own: hook?.own ?? '' })}>
          {hook ? texts.common.save : texts.common.add}
        </Button>
        <Button variant="link" onClick={onClose}>
          {texts.common.cancel}
        </Button>
      </ModalFooter>
    </Modal>
  );
}

interface ReviewProps {
  draft: PlanDraft;
  vms: InventoryVm[];
  newNamespace: boolean;
  networks?: MapChoices;
  stores?: MapChoices;
  problem?: string;
}

export function Review({ draft, vms, newNamespace, networks, stores, problem }: ReviewProps) {
  const mapText = (map: MapDraft, choices?: MapChoices): string =>
    map.existing ||
    map.rows
      .filter((row) => row.target)
      .map(
        (row) =>
          `${choices?.sources.find((choice) => choice.value === row.source)?.label ?? row.source} → ${choices?.targets.find((choice) => choice.value === row.target)?.label ?? row.target}`,
      )
      .join(', ') ||
    texts.common.none;
  const rows: [string, string][] = [
    [t.planName, draft.name],
    [t.planDescription, draft.description || texts.common.none],
    [texts.plan.sourceProvider, draft.source],
    [texts.plan.targetProvider, draft.target],
    [t.namespace, newNamespace ? t.namespaceNew(draft.namespace) : draft.namespace],
    [t.transferNetwork, draft.transferNetwork || texts.plan.podNetwork],
    [t.vms, `${t.vmsSelected(draft.vms.size)}: ${vms.map((vm) => vm.name).join(', ')}`],
    [t.networkMap, mapText(draft.network, networks)],
    [t.storageMap, mapText(draft.storage, stores)],
    [texts.plan.migrationType, draft.warm ? t.warm : t.cold],
    [t.targetPower, t.targetPowers[draft.power]],
    [t.guests, draft.raw ? t.raw : t.convert],
    [t.hooks, draft.hooks.map((hook) => stepLabel(hook.step, draft.warm)).join(', ') || texts.common.none],
  ];
  return (
    <div className="gantry-stack">
      <p>{t.reviewHelp}</p>
      {problem && (
        <Alert isInline variant="danger" title={t.failed}>
          {problem}
        </Alert>
      )}
      <Terms isHorizontal isCompact rows={rows} />
    </div>
  );
}
