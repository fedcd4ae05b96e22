// The wizard's first steps: general, filter, virtual machines.
import {
  Alert,
  Button,
  Form,
  FormGroup,
  FormHelperText,
  HelperText,
  HelperTextItem,
  Pagination,
  SearchInput,
  Spinner,
  TextInput,
  Toolbar,
  ToolbarContent,
  ToolbarItem,
  ToggleGroup,
  ToggleGroupItem,
  TreeView,
  type TreeViewDataItem,
} from '@patternfly/react-core';
import { ExpandableRowContent, Table, Tbody, Td, Th, Thead, Tr } from '@patternfly/react-table';
import { useState } from 'react';
import type { InventoryVm, KubeItem } from '../../api/cluster';
import { isReady } from '../../model/conditions';
import type { Mistake } from '../../model/names';
import type { Provider } from '../../model/types';
import { ConcernLabel, Concerns, worstConcern } from '../../parts/concerns';
import { Choose, Field } from '../../parts/fields';
import { Empty } from '../../parts/states';
import { texts } from '../../texts';
import { everyId, isOn, vmMatches, type Branch, type Place, type PlanDraft, type VmFilter } from './draft';

const t = texts.wizard;

export interface StepProps {
  draft: PlanDraft;
  change: (part: Partial<PlanDraft>) => void;
}

interface GeneralProps extends StepProps {
  providers: Provider[];
  namespaces: string[] | undefined;
  networks: KubeItem[] | undefined;
  mistakes: Partial<Record<keyof PlanDraft, Mistake>>;
  editing: boolean;
}

export function General({ draft, change, providers, namespaces, networks, mistakes, editing }: GeneralProps) {
  const offer = (wanted: (provider: Provider) => boolean) =>
    providers
      .filter(wanted)
      .map((p) => ({ value: p.metadata.name, label: p.metadata.name, disabled: !isReady(p), description: isReady(p) ? texts.providers.types[p.spec.type] : texts.health.notReady }));
  const isNew = !!namespaces && !!draft.namespace && !mistakes.namespace && !namespaces.includes(draft.namespace);
  return (
    <Form>
      <Field id="plan-name" label={t.planName} value={draft.name} onChange={(name) => change({ name })} mistake={mistakes.name} disabled={editing} required />
      <Field id="plan-description" label={t.planDescription} value={draft.description} onChange={(description) => change({ description })} />
      <Choose id="plan-source" label={texts.plan.sourceProvider} value={draft.source} choices={offer((p) => p.spec.type !== 'openshift')} onChange={(source) => change({ source })} required />
      <Choose id="plan-target" label={texts.plan.targetProvider} value={draft.target} choices={offer((p) => p.spec.type === 'openshift')} onChange={(target) => change({ target })} required />
      <FormGroup label={t.namespace} fieldId="plan-namespace" isRequired>
        <TextInput
          id="plan-namespace"
          list="plan-namespaces"
          autoComplete="off"
          value={draft.namespace}
          onChange={(_event, namespace) => change({ namespace })}
          aria-describedby="plan-namespace-hint"
          isRequired
        />
        <datalist id="plan-namespaces">{namespaces?.map((name) => <option key={name} value={name} />)}</datalist>
        <FormHelperText>
          <HelperText id="plan-namespace-hint">
            <HelperTextItem variant={draft.namespace && mistakes.namespace ? 'error' : isNew ? 'warning' : 'default'}>
              {draft.namespace && mistakes.namespace ? texts.mistake[mistakes.namespace] : isNew ? t.namespaceNew(draft.namespace) : t.namespaceHelp}
            </HelperTextItem>
          </HelperText>
        </FormHelperText>
      </FormGroup>
      <Choose
        id="plan-transfer"
        label={t.transferNetwork}
        help={t.transferHelp}
        value={draft.transferNetwork}
        choices={[
          { value: '', label: texts.plan.podNetwork },
          ...(networks ?? []).filter((item) => item.namespace === draft.namespace).map((item) => ({ value: item.name, label: item.name })),
        ]}
        onChange={(transferNetwork) => change({ transferNetwork })}
      />
    </Form>
  );
}

// ---- where to look for VMs ----

interface FilterProps extends StepProps {
  trees: { by: 'host' | 'vm' | 'cluster'; label: string }[];
  by: string;
  onBy: (by: 'host' | 'vm' | 'cluster') => void;
  branches: Branch[] | undefined;
  problem?: string;
}

export function Filter({ draft, change, trees, by, onBy, branches, problem }: FilterProps) {
  const [search, setSearch] = useState('');
  const text = search.trim().toLowerCase();
  const matches = (branch: Branch): boolean => branch.name.toLowerCase().includes(text) || branch.children.some(matches);
  const checked = (branch: Branch): boolean | null => {
    if (draft.nodes.has(branch.id)) return true;
    return everyId(branch).some((id) => draft.nodes.has(id)) ? null : false;
  };
  const item = (branch: Branch): TreeViewDataItem => ({
    id: branch.id,
    name: branch.name,
    defaultExpanded: true,
    checkProps: { checked: checked(branch), 'aria-label': branch.name },
    customBadgeContent: branch.vms.length,
    children: branch.children.length ? branch.children.filter(matches).map(item) : undefined,
  });
  const find = (all: Branch[], id: string): Branch | undefined => {
    for (const branch of all) {
      const found = branch.id === id ? branch : find(branch.children, id);
      if (found) return found;
    }
    return undefined;
  };

  // A node brings all below it; one that is taken away takes those above it along, as they are no longer whole.
  function toggle(id: string, on: boolean) {
    const branch = find(branches ?? [], id);
    if (!branch) return;
    const nodes = new Set(draft.nodes);
    for (const each of everyId(branch)) {
      if (on) nodes.add(each);
      else nodes.delete(each);
    }
    const settle = (above: Branch): void => {
      above.children.forEach(settle);
      if (above.children.length && !above.children.every((child) => nodes.has(child.id))) nodes.delete(above.id);
    };
    (branches ?? []).forEach(settle);
    change({ nodes });
  }

  return (
    <div className="gantry-stack">
      <p>{t.filterHelp}</p>
      {trees.length > 1 && (
        <ToggleGroup aria-label={t.filter}>
          {trees.map((tree) => (
            <ToggleGroupItem key={tree.by} text={tree.label} buttonId={`tree-${tree.by}`} isSelected={by === tree.by} onChange={() => onBy(tree.by)} />
          ))}
        </ToggleGroup>
      )}
      <SearchInput aria-label={t.treeSearch} placeholder={t.treeSearch} value={search} onChange={(_event, value) => setSearch(value)} onClear={() => setSearch('')} />
      {problem && <Alert isInline variant="danger" title={problem} />}
      {!branches && !problem && <Spinner aria-label={texts.common.loading} />}
      {branches && (
        <TreeView
          aria-label={t.filter}
          hasCheckboxes
          hasBadges
          data={branches.filter(matches).map(item)}
          onCheck={(event, node) => toggle(node.id ?? '', event.target.checked)}
        />
      )}
    </div>
  );
}

// ---- which VMs ----

interface VmsProps extends StepProps {
  vms: InventoryVm[] | undefined;
  places: Map<string, Place>;
  within: Set<string> | undefined;
  problem?: string;
}

const folderOf = (vm: InventoryVm): string => vm.path?.replace(/\/[^/]*$/, '') ?? '';
const categories = ['Critical', 'Warning', 'Advisory', 'Ok'];

export function Vms({ draft, change, vms, places, within, problem }: VmsProps) {
  const [filter, setFilter] = useState<VmFilter>({ text: '', power: '', assessment: '' });
  const [open, setOpen] = useState<string>();
  const [page, setPage] = useState(1);
  const [perPage, setPerPage] = useState(20);

  if (problem) return <Alert isInline variant="danger" title={problem} />;
  if (!vms) return <Spinner aria-label={texts.common.loading} />;
  const all = vms.filter((vm) => !vm.isTemplate && (!within || within.has(vm.id) || draft.vms.has(vm.id)));
  if (!all.length) return <Empty title={texts.vm.emptyTitle} body={t.noVmsFound} />;

  const found = all.filter((vm) => vmMatches(filter, vm, places.get(vm.id), worstConcern(vm.concerns))).sort((a, b) => a.name.localeCompare(b.name));
  const shown = found.slice((page - 1) * perPage, page * perPage);
  const critical = all.filter((vm) => draft.vms.has(vm.id) && worstConcern(vm.concerns) === 'Critical');
  const narrow = (part: Partial<VmFilter>) => {
    setFilter({ ...filter, ...part });
    setPage(1);
  };
  const choose = (ids: string[], on: boolean) => {
    const next = new Set(draft.vms);
    for (const id of ids) {
      if (on) next.add(id);
      else next.delete(id);
    }
    change({ vms: next });
  };

  return (
    <div className="gantry-stack">
      <p>{t.vmsHelp}</p>
      {critical.length > 0 && (
        <Alert
          isInline
          variant="warning"
          title={t.warnCritical(critical.length)}
          actionLinks={
            <Button variant="link" isInline onClick={() => choose(critical.map((vm) => vm.id), false)}>
              {t.deselectCritical}
            </Button>
          }
        />
      )}
      <Toolbar>
        <ToolbarContent>
          <ToolbarItem>
            <SearchInput aria-label={t.vmSearch} placeholder={t.vmSearch} value={filter.text} onChange={(_event, text) => narrow({ text })} onClear={() => narrow({ text: '' })} />
          </ToolbarItem>
          <ToolbarItem>
            <Choose
              bare
              id="vm-power"
              label={t.power}
              value={filter.power}
              choices={[{ value: '', label: t.anyPower }, { value: 'on', label: t.on }, { value: 'off', label: t.off }]}
              onChange={(power) => narrow({ power: power as VmFilter['power'] })}
            />
          </ToolbarItem>
          <ToolbarItem>
            <Choose
              bare
              id="vm-assessment"
              label={t.assessment}
              value={filter.assessment}
              choices={[{ value: '', label: t.anyAssessment }, ...categories.map((value) => ({ value, label: texts.concern.category[value] ?? value }))]}
              onChange={(assessment) => narrow({ assessment })}
            />
          </ToolbarItem>
          <ToolbarItem alignSelf="center">
            <strong aria-live="polite">{texts.plan.selected(draft.vms.size)}</strong>
          </ToolbarItem>
          <ToolbarItem>
            <Button variant="link" isDisabled={!shown.length} onClick={() => choose(shown.map((vm) => vm.id), true)}>
              {t.selectPage(shown.length)}
            </Button>
            <Button variant="link" isDisabled={!draft.vms.size} onClick={() => change({ vms: new Set() })}>
              {t.selectNone}
            </Button>
          </ToolbarItem>
          <ToolbarItem variant="pagination" align={{ default: 'alignEnd' }}>
            <Pagination
              itemCount={found.length}
              page={page}
              perPage={perPage}
              isCompact
              onSetPage={(_event, to) => setPage(to)}
              onPerPageSelect={(_event, n) => {
                setPerPage(n);
                setPage(1);
              }}
            />
          </ToolbarItem>
        </ToolbarContent>
      </Toolbar>
      <Table aria-label={t.vms} variant="compact" isExpandable>
        <Thead>
          <Tr>
            <Th screenReaderText={texts.common.details('')} />
            <Th
              select={{
                isSelected: found.length > 0 && found.every((vm) => draft.vms.has(vm.id)),
                onSelect: (_event, on) =>
                  choose(
                    found.map((vm) => vm.id),
                    on,
                  ),
              }}
              aria-label={texts.vm.selectAll}
            />
            <Th width={20}>{texts.common.name}</Th>
            <Th>{t.assessment}</Th>
            <Th>{t.power}</Th>
            <Th>{t.cluster}</Th>
            <Th>{t.host}</Th>
            <Th>{t.folder}</Th>
          </Tr>
        </Thead>
        {shown.map((vm, index) => {
          const expanded = open === vm.id;
          const analyzing = vm.revisionValidated !== undefined && vm.revisionValidated !== vm.revision;
          return (
            <Tbody key={vm.id} isExpanded={expanded}>
              <Tr>
                <Td expand={{ rowIndex: index, isExpanded: expanded, onToggle: () => setOpen(expanded ? undefined : vm.id), expandId: 'wizard-vm-' }} />
                <Td select={{ rowIndex: index, isSelected: draft.vms.has(vm.id), onSelect: (_event, on) => choose([vm.id], on), props: { 'aria-label': texts.vm.select(vm.name) } }} />
                <Td dataLabel={texts.common.name} className="gantry-break">
                  {vm.name}
                </Td>
                <Td dataLabel={t.assessment}>{analyzing ? t.analyzing : <ConcernLabel category={worstConcern(vm.concerns)} />}</Td>
                <Td dataLabel={t.power}>{isOn(vm) ? t.on : t.off}</Td>
                <Td dataLabel={t.cluster}>{[places.get(vm.id)?.datacenter, places.get(vm.id)?.cluster].filter(Boolean).join(' / ')}</Td>
                <Td dataLabel={t.host}>{places.get(vm.id)?.host}</Td>
                <Td dataLabel={t.folder} className="gantry-break">
                  {folderOf(vm)}
                </Td>
              </Tr>
              <Tr isExpanded={expanded}>
                <Td colSpan={8}>
                  <ExpandableRowContent>
                    {expanded && (
                      <>
                        <p className="gantry-mb-sm">{texts.concern.summary[worstConcern(vm.concerns)] ?? ''}</p>
                        <Concerns concerns={vm.concerns} />
                      </>
                    )}
                  </ExpandableRowContent>
                </Td>
              </Tr>
            </Tbody>
          );
        })}
      </Table>
      {!found.length && <p>{texts.common.noMatch}</p>}
      {!draft.vms.size && <p className="gantry-subtle">{t.vmsNone}</p>}
    </div>
  );
}
