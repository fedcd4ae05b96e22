// Network and storage mappings that plans share.
import {
  Alert,
  Button,
  Dropdown,
  DropdownItem,
  DropdownList,
  Form,
  MenuToggle,
  Modal,
  ModalBody,
  ModalFooter,
  ModalHeader,
  PageSection,
  Spinner,
  Tab,
  Tabs,
  TabTitleText,
  Title,
  Toolbar,
  ToolbarContent,
  ToolbarItem,
} from '@patternfly/react-core';
import EllipsisVIcon from '@patternfly/react-icons/dist/esm/icons/ellipsis-v-icon';
import RouteIcon from '@patternfly/react-icons/dist/esm/icons/route-icon';
import { ExpandableRowContent, Table, Tbody, Td, Th, Thead, Tr } from '@patternfly/react-table';
import { useState, type ReactNode } from 'react';
import { useNavigate, useParams } from 'react-router-dom';
import * as cluster from '../api/cluster';
import { messageOf } from '../api/http';
import { mapChoices } from '../api/map_choices';
import { useDenied } from '../api/rights';
import { useStore } from '../api/store';
import { useFetched } from '../api/use';
import { health, isReady } from '../model/conditions';
import { complete, isShared, mapSpec, rowsOf, type MapKind, type MapRow } from '../model/mapping';
import { nameMistake } from '../model/names';
import type { Key } from '../model/pages';
import type { NetworkMap, Provider, StorageMap } from '../model/types';
import { HealthLabel } from '../parts/conditions';
import { Confirm } from '../parts/confirm';
import { Choose, Field } from '../parts/fields';
import { GuardedButton } from '../parts/guarded';
import { MapEditor } from '../parts/map_editor';
import { useSortedPages } from '../parts/sorted_pages';
import { Empty, Loading, Troubles } from '../parts/states';
import { Yaml } from '../parts/yaml';
import { texts } from '../texts';

const t = texts.mappings;
type AnyMap = NetworkMap | StorageMap;
const kindOf = { network: 'NetworkMap', storage: 'StorageMap' } as const;

type Dialog = { kind: 'create' } | { kind: 'edit' | 'delete'; map: AnyMap };

export function MappingsPage() {
  const store = useStore();
  const denied = useDenied();
  const navigate = useNavigate();
  const kind: MapKind = useParams().kind === 'storage' ? 'storage' : 'network';
  const [dialog, setDialog] = useState<Dialog>();
  const close = () => setDialog(undefined);

  const maps = (store.list(kindOf[kind]) as AnyMap[]).filter(isShared);
  const providers = store.list('Provider');
  const possible = providers.some((p) => p.spec.type !== 'openshift') && providers.some((p) => p.spec.type === 'openshift');
  const create = (
    <GuardedButton why={denied('create', kindOf[kind]) ?? (possible ? undefined : t.needProviders)} onClick={() => setDialog({ kind: 'create' })}>
      {t.create}
    </GuardedButton>
  );

  return (
    <>
      <PageSection>
        <Title headingLevel="h1">{t.title}</Title>
        <Troubles kinds={[kindOf[kind]]} />
      </PageSection>
      <PageSection type="tabs">
        <Tabs activeKey={kind} onSelect={(_event, to) => navigate(`/mappings/${to}`)} usePageInsets aria-label={t.title}>
          <Tab eventKey="network" title={<TabTitleText>{t.network}</TabTitleText>} tabContentId="tab-content" />
          <Tab eventKey="storage" title={<TabTitleText>{t.storage}</TabTitleText>} tabContentId="tab-content" />
        </Tabs>
      </PageSection>
      <PageSection isFilled id="tab-content" role="tabpanel" aria-label={t[kind]}>
        {!store.synced ? (
          <Loading title={texts.common.loading} />
        ) : !maps.length ? (
          <Empty title={t.emptyTitle(t[kind].toLowerCase())} body={kind === 'network' ? t.emptyNetwork : t.emptyStorage} icon={RouteIcon} actions={create} />
        ) : (
          <MapTable key={kind} kind={kind} maps={maps} create={create} open={setDialog} />
        )}
      </PageSection>
      {(dialog?.kind === 'create' || dialog?.kind === 'edit') && (
        <MapDialog kind={kind} map={dialog.kind === 'edit' ? dialog.map : undefined} taken={store.list(kindOf[kind]).map((map) => map.metadata.name)} onClose={close} />
      )}
      {dialog?.kind === 'delete' && (
        <Confirm
          title={t.deleteTitle(dialog.map.metadata.name)}
          confirm={texts.common.delete}
          danger
          onConfirm={() => cluster.remove(kindOf[kind], dialog.map.metadata.name)}
          onClose={close}
        >
          {t.deleteBody}
        </Confirm>
      )}
    </>
  );
}

const keys: Key<AnyMap>[] = [
  (map) => map.metadata.name,
  (map) => map.spec.provider.source.name ?? '',
  (map) => map.spec.provider.destination.name ?? '',
  (map) => texts.health[health(map)],
];
const titles = [texts.common.name, t.sourceProvider, t.targetProvider, texts.common.status];

function MapTable({ kind, maps, create, open: openDialog }: { kind: MapKind; maps: AnyMap[]; create: ReactNode; open: (dialog: Dialog) => void }) {
  const store = useStore();
  const denied = useDenied();
  const [open, setOpen] = useState<string>();
  const pages = useSortedPages(maps, keys);
  const whyNotEdit = (map: AnyMap): string | undefined => {
    const waiting = [map.spec.provider.source.name, map.spec.provider.destination.name].find((name) => !isReady(store.get('Provider', name)));
    return denied('patch', kindOf[kind]) ?? (waiting === undefined ? undefined : t.providerNotReady(waiting));
  };

  return (
    <>
      <Toolbar>
        <ToolbarContent>
          <ToolbarItem>{pages.search}</ToolbarItem>
          <ToolbarItem align={{ default: 'alignEnd' }}>{create}</ToolbarItem>
        </ToolbarContent>
      </Toolbar>
      {!pages.found ? (
        pages.nothing
      ) : (
        <Table aria-label={t.table(t[kind])} variant="compact" isExpandable>
          <Thead>
            <Tr>
              <Th screenReaderText={texts.common.details('')} />
              {titles.map((title, index) => (
                <Th key={title} sort={pages.sortOf(index)} modifier="nowrap">
                  {title}
                </Th>
              ))}
              <Th screenReaderText={texts.common.actions} />
            </Tr>
          </Thead>
          {pages.rows.map((map, index) => {
            const expanded = open === map.metadata.name;
            return (
              <Tbody key={map.metadata.uid} isExpanded={expanded}>
                <Tr>
                  <Td expand={{ rowIndex: index, isExpanded: expanded, onToggle: () => setOpen(expanded ? undefined : map.metadata.name), expandId: 'map-' }} />
                  <Td dataLabel={texts.common.name} className="gantry-break">
                    {map.metadata.name}
                    <div className="gantry-subtle">{t.rows(map.spec.map?.length ?? 0)}</div>
                  </Td>
                  <Td dataLabel={t.sourceProvider}>{map.spec.provider.source.name}</Td>
                  <Td dataLabel={t.targetProvider}>{map.spec.provider.destination.name}</Td>
                  <Td dataLabel={texts.common.status}>
                    <HealthLabel object={map} />
                  </Td>
                  <Td isActionCell>
                    <MapMenu
                      name={map.metadata.name}
                      whyNotEdit={whyNotEdit(map)}
                      whyNotRemove={denied('delete', kindOf[kind])}
                      edit={() => openDialog({ kind: 'edit', map })}
                      remove={() => openDialog({ kind: 'delete', map })}
                    />
                  </Td>
                </Tr>
                <Tr isExpanded={expanded}>
                  <Td colSpan={6}>
                    <ExpandableRowContent>{expanded && <MapDetails kind={kind} map={map} />}</ExpandableRowContent>
                  </Td>
                </Tr>
              </Tbody>
            );
          })}
        </Table>
      )}
      {pages.pager}
    </>
  );
}

// What is mapped to what, and the object itself.
function MapDetails({ kind, map }: { kind: MapKind; map: AnyMap }) {
  const [tab, setTab] = useState<string | number>('rows');
  return (
    <>
      <Tabs activeKey={tab} onSelect={(_event, key) => setTab(key)} isSubtab aria-label={texts.common.details(map.metadata.name)} className="gantry-mb-md">
        <Tab eventKey="rows" title={<TabTitleText>{t.mapping}</TabTitleText>} tabContentId="map-content" />
        <Tab eventKey="yaml" title={<TabTitleText>{texts.common.yaml}</TabTitleText>} tabContentId="map-content" />
      </Tabs>
      <div id="map-content" role="tabpanel" aria-label={map.metadata.name}>
        {tab === 'yaml' ? <Yaml kind={kindOf[kind]} name={map.metadata.name} /> : <MapRows kind={kind} map={map} />}
      </div>
    </>
  );
}

interface MenuProps {
  name: string;
  whyNotEdit?: string;
  whyNotRemove?: string;
  edit: () => void;
  remove: () => void;
}

function MapMenu({ name, whyNotEdit, whyNotRemove, edit, remove }: MenuProps) {
  const [expanded, setExpanded] = useState(false);
  return (
    <Dropdown
      isOpen={expanded}
      onOpenChange={setExpanded}
      onSelect={() => setExpanded(false)}
      popperProps={{ position: 'right' }}
      toggle={(ref) => (
        <MenuToggle ref={ref} variant="plain" icon={<EllipsisVIcon />} isExpanded={expanded} onClick={() => setExpanded(!expanded)} aria-label={texts.common.options(name)} />
      )}
    >
      <DropdownList>
        <DropdownItem isDisabled={!!whyNotEdit} description={whyNotEdit} onClick={edit}>
          {texts.common.edit}
        </DropdownItem>
        <DropdownItem isDanger isDisabled={!!whyNotRemove} description={whyNotRemove} onClick={remove}>
          {texts.common.delete}
        </DropdownItem>
      </DropdownList>
    </Dropdown>
  );
}

// Names come from the inventory; while they are not there, ids have to do.
function MapRows({ kind, map }: { kind: MapKind; map: AnyMap }) {
  const store = useStore();
  const source = store.get('Provider', map.spec.provider.source.name);
  const target = store.get('Provider', map.spec.provider.destination.name);
  const choices = useFetched(source && target ? `${kind}${source.metadata.uid}${target.metadata.uid}` : undefined, () => mapChoices(kind, source!, target!));
  const nameOf = (id: string) => choices.data?.sources.find((choice) => choice.value === id || choice.label === id)?.label ?? (choices.data ? t.gone(id) : id);
  return (
    <ul className="gantry-stack">
      {rowsOf(map).map((row) => (
        <li key={row.source} className="gantry-break">
          {nameOf(row.source)} → {choices.data?.targets.find((choice) => choice.value === row.target)?.label ?? row.target}
        </li>
      ))}
    </ul>
  );
}

function MapDialog({ kind, map, taken, onClose }: { kind: MapKind; map?: AnyMap; taken: string[]; onClose: () => void }) {
  const store = useStore();
  const providers = store.list('Provider');
  const [name, setName] = useState(map?.metadata.name ?? '');
  const [sourceName, setSourceName] = useState(map?.spec.provider.source.name ?? '');
  const [targetName, setTargetName] = useState(map?.spec.provider.destination.name ?? (providers.filter((p) => p.spec.type === 'openshift' && isReady(p))[0]?.metadata.name ?? ''));
  const [rows, setRows] = useState<MapRow[]>(map ? rowsOf(map) : []);
  const [working, setWorking] = useState(false);
  const [problem, setProblem] = useState<string>();
  const source = store.get('Provider', sourceName);
  const target = store.get('Provider', targetName);
  const choices = useFetched(source && target ? `${kind}${source.metadata.uid}${target.metadata.uid}` : undefined, () => mapChoices(kind, source!, target!));
  const mistake = map ? undefined : nameMistake(name, taken);
  const ok = !mistake && !!source && !!target && complete(rows);
  const offer = (wanted: (provider: Provider) => boolean) =>
    providers.filter(wanted).map((p) => ({ value: p.metadata.name, label: p.metadata.name, disabled: !isReady(p), description: isReady(p) ? undefined : texts.health.notReady }));

  async function save() {
    setWorking(true);
    setProblem(undefined);
    const spec = {
      provider: { source: cluster.refOf(source!), destination: cluster.refOf(target!) },
      map: mapSpec(kind, rows),
    };
    try {
      if (map) await cluster.patch(kindOf[kind], map.metadata.name, { spec });
      else await cluster.create(kindOf[kind], { metadata: { name }, spec });
      onClose();
    } catch (error) {
      setProblem(messageOf(error));
      setWorking(false);
    }
  }

  const title = map ? t.editTitle(map.metadata.name) : t.createTitle;
  return (
    <Modal isOpen variant="medium" onClose={onClose} aria-label={title}>
      <ModalHeader title={title} description={t[kind]} />
      <ModalBody>
        <Form
          id="map-form"
          onSubmit={(event) => {
            event.preventDefault();
            if (ok && !working) void save();
          }}
        >
          <Field id="map-name" label={texts.common.name} value={name} onChange={setName} mistake={mistake} disabled={!!map} required />
          <Choose
            id="map-source"
            label={t.sourceProvider}
            value={sourceName}
            choices={offer((p) => p.spec.type !== 'openshift')}
            onChange={(value) => {
              setSourceName(value);
              setRows([]);
            }}
            required
          />
          <Choose
            id="map-target"
            label={t.targetProvider}
            value={targetName}
            choices={offer((p) => p.spec.type === 'openshift')}
            onChange={(value) => {
              setTargetName(value);
              setRows([]);
            }}
            required
          />
          {choices.data ? (
            <MapEditor
              kind={kind}
              ovirt={source?.spec.type === 'ovirt'}
              rows={rows.length ? rows : [{ source: '', target: choices.data.fallback }]}
              sources={choices.data.sources}
              targets={choices.data.targets}
              fallback={choices.data.fallback}
              onChange={setRows}
            />
          ) : choices.problem ? (
            <Alert isInline variant="danger" title={choices.problem} />
          ) : source && target ? (
            <Spinner size="md" aria-label={texts.common.loading} />
          ) : (
            <p className="gantry-subtle">{t.chooseProviders}</p>
          )}
          {problem && <Alert isInline variant="danger" title={problem} />}
        </Form>
      </ModalBody>
      <ModalFooter>
        <Button type="submit" form="map-form" isDisabled={!ok || working} isLoading={working}>
          {map ? texts.common.save : texts.common.create}
        </Button>
        <Button variant="link" onClick={onClose}>
          {texts.common.cancel}
        </Button>
      </ModalFooter>
    </Modal>
  );
}
