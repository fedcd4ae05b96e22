// Settings of the controllers, kept in the ForkliftController.
import { ActionGroup, Alert, Button, Form, PageSection, Title } from '@patternfly/react-core';
import CogIcon from '@patternfly/react-icons/dist/esm/icons/cog-icon';
import { useState } from 'react';
import * as cluster from '../api/cluster';
import { messageOf } from '../api/http';
import { useStore } from '../api/store';
import type { ForkliftController } from '../model/types';
import { Field } from '../parts/fields';
import { useNotify } from '../parts/notices';
import { Empty, Loading, Troubles } from '../parts/states';
import { texts } from '../texts';

const t = texts.settings;

const defaults: Record<string, string> = {
  controller_max_vm_inflight: '20',
  controller_precopy_interval: '60',
  controller_snapshot_status_check_rate_seconds: '10',
  controller_filesystem_overhead: '10',
  controller_log_level: '3',
};

export function SettingsPage() {
  const store = useStore();
  const controller = store.list('ForkliftController')[0];
  return (
    <>
      <PageSection>
        <Title headingLevel="h1">{t.title}</Title>
        <p className="gantry-subtle">{t.help}</p>
        <Troubles kinds={['ForkliftController']} />
      </PageSection>
      <PageSection isFilled>
        {!store.synced ? (
          <Loading title={texts.common.loading} />
        ) : controller ? (
          <Settings key={controller.metadata.resourceVersion} controller={controller} />
        ) : (
          <Empty title={t.none} body={t.noneBody} icon={CogIcon} />
        )}
      </PageSection>
    </>
  );
}

const isWhole = (text: string): boolean => /^\d{1,6}$/.test(text);

function Settings({ controller }: { controller: ForkliftController }) {
  const notify = useNotify();
  const kept = (field: string): string => (controller.spec[field] === undefined ? '' : String(controller.spec[field]));
  const [values, setValues] = useState<Record<string, string>>(Object.fromEntries(Object.keys(defaults).map((field) => [field, kept(field)])));
  const [problem, setProblem] = useState<string>();
  const changed = Object.keys(defaults).filter((field) => values[field] !== kept(field));
  const wrong = changed.filter((field) => values[field] !== '' && !isWhole(values[field]!));

  async function save() {
    setProblem(undefined);
    try {
      await cluster.patch('ForkliftController', controller.metadata.name, {
        spec: Object.fromEntries(changed.map((field) => [field, values[field] === '' ? null : Number(values[field])])),
      });
      notify('success', t.saved);
    } catch (error) {
      setProblem(messageOf(error));
    }
  }

  return (
    <Form
      isWidthLimited
      onSubmit={(event) => {
        event.preventDefault();
        if (changed.length && !wrong.length) void save();
      }}
    >
      {Object.entries(defaults).map(([field, absent]) => (
        <Field
          key={field}
          id={field}
          label={t.fields[field]!.label}
          help={wrong.includes(field) ? t.number : `${t.fields[field]!.help}. ${t.default(absent)}`}
          value={values[field]!}
          onChange={(value) => setValues((all) => ({ ...all, [field]: value.trim() }))}
        />
      ))}
      {problem && <Alert isInline variant="danger" title={problem} />}
      <ActionGroup>
        <Button type="submit" isDisabled={!changed.length || wrong.length > 0}>
          {texts.common.save}
        </Button>
      </ActionGroup>
    </Form>
  );
}
