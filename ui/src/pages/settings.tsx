// Settings of the controllers, kept in the ForkliftController.
import { ActionGroup, Alert, Button, Form, FormFieldGroup, FormFieldGroupHeader, PageSection, Switch, Tab, Tabs, TabTitleText, Title, Tooltip } from '@patternfly/react-core';
import CogIcon from '@patternfly/react-icons/dist/esm/icons/cog-icon';
import { useState } from 'react';
import { useSearchParams } from 'react-router-dom';
import * as cluster from '../api/cluster';
import { messageOf } from '../api/http';
import { useDenied } from '../api/rights';
import { useStore } from '../api/store';
import { problems } from '../model/conditions';
import { asText, isToggle, settingMistake, settings, settingsChange, type Setting } from '../model/settings';
import type { ForkliftController } from '../model/types';
import { ConditionAlert } from '../parts/conditions';
import { Field } from '../parts/fields';
import { useNotify } from '../parts/notices';
import { Empty, Loading, Troubles } from '../parts/states';
import { Yaml } from '../parts/yaml';
import { texts } from '../texts';

const t = texts.settings;

export function SettingsPage() {
  const store = useStore();
  const [query, setQuery] = useSearchParams();
  const controller = store.list('ForkliftController')[0];
  const tab = query.get('tab') ?? 'form';
  return (
    <>
      <PageSection>
        <Title headingLevel="h1">{t.title}</Title>
        <p className="gantry-subtle">{t.help}</p>
        <Troubles kinds={['ForkliftController']} />
        {controller && (
          <div className="gantry-banners gantry-mt-md">
            {problems(controller).map((condition) => (
              <ConditionAlert key={condition.type} condition={condition} />
            ))}
          </div>
        )}
      </PageSection>
      {controller && (
        <PageSection type="tabs">
          <Tabs activeKey={tab} onSelect={(_event, key) => setQuery(key === 'form' ? {} : { tab: String(key) }, { replace: true })} usePageInsets aria-label={t.title}>
            <Tab eventKey="form" title={<TabTitleText>{t.title}</TabTitleText>} tabContentId="tab-content" />
            <Tab eventKey="yaml" title={<TabTitleText>{texts.common.yaml}</TabTitleText>} tabContentId="tab-content" />
          </Tabs>
        </PageSection>
      )}
      <PageSection isFilled id="tab-content" role="tabpanel" aria-label={t.title}>
        {!store.synced ? (
          <Loading title={texts.common.loading} />
        ) : !controller ? (
          <Empty title={t.none} body={t.noneBody} icon={CogIcon} />
        ) : tab === 'yaml' ? (
          <Yaml kind="ForkliftController" name={controller.metadata.name} />
        ) : (
          <Settings key={controller.metadata.generation} controller={controller} />
        )}
      </PageSection>
    </>
  );
}

const groups = [...new Set(settings.map(({ group }) => group))];

function Settings({ controller }: { controller: ForkliftController }) {
  const notify = useNotify();
  const why = useDenied()('patch', 'ForkliftController');
  const [values, setValues] = useState<Record<string, string>>(Object.fromEntries(settings.map((setting) => [setting.key, asText(setting, controller.spec)])));
  const [problem, setProblem] = useState<string>();
  const change = settingsChange(controller.spec, values);
  const wrong = settings.some((setting) => settingMistake(setting, values[setting.key]!));
  const possible = Object.keys(change).length > 0 && !wrong && !why;

  async function save() {
    setProblem(undefined);
    try {
      await cluster.patch('ForkliftController', controller.metadata.name, { spec: change });
      notify('success', t.saved);
    } catch (error) {
      setProblem(messageOf(error));
    }
  }

  const button = (
    <Button type="submit" isAriaDisabled={!possible}>
      {texts.common.save}
    </Button>
  );
  return (
    <Form
      className="gantry-settings"
      onSubmit={(event) => {
        event.preventDefault();
        if (possible) void save();
      }}
    >
      {groups.map((group) => (
        <FormFieldGroup key={group} header={<FormFieldGroupHeader titleText={{ text: t.groups[group], id: `group-${group}` }} />}>
          {settings
            .filter((setting) => setting.group === group)
            .map((setting) => (
              <SettingField
                key={setting.key}
                setting={setting}
                value={values[setting.key]!}
                disabled={!!why}
                onChange={(value) => setValues((all) => ({ ...all, [setting.key]: value }))}
              />
            ))}
        </FormFieldGroup>
      ))}
      <p className="gantry-subtle">{t.others}</p>
      {problem && <Alert isInline variant="danger" title={problem} />}
      <ActionGroup>{why ? <Tooltip content={why}>{button}</Tooltip> : button}</ActionGroup>
    </Form>
  );
}

function SettingField({ setting, value, disabled, onChange }: { setting: Setting; value: string; disabled: boolean; onChange: (value: string) => void }) {
  const { label, help } = t.fields[setting.key]!;
  if (isToggle(setting))
    return (
      <div>
        <Switch id={setting.key} label={label} isChecked={value === 'true'} isDisabled={disabled} onChange={(_event, on) => onChange(String(on))} />
        <p className="gantry-subtle">{`${help}. ${t.default(setting.absent ? t.on : t.off)}`}</p>
      </div>
    );
  const mistake = settingMistake(setting, value);
  const absent = setting.absent === undefined ? t.notSet : String(setting.absent);
  return (
    <Field
      id={setting.key}
      label={label}
      disabled={disabled}
      short={setting.kind !== 'text'}
      help={mistake ? <span role="alert">{mistake === 'range' ? t.allowed(setting.least!, setting.most!) : t.mistakes[mistake]}</span> : `${help}. ${t.default(absent)}`}
      value={value}
      onChange={(text) => onChange(text.trim())}
    />
  );
}
