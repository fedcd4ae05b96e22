// Adding and editing a provider. A certificate is shown and has to be trusted by a person before a vCenter is added; what is
// secret is written and never read back.
import {
  Alert,
  Button,
  Checkbox,
  Form,
  Modal,
  ModalBody,
  ModalFooter,
  ModalHeader,
} from '@patternfly/react-core';
import { useState } from 'react';
import * as cluster from '../api/cluster';
import { messageOf } from '../api/http';
import { addProvider, checkConnection, draftOf, editProvider, emptyDraft, urlOf, type ProviderDraft } from '../api/providers';
import { time } from '../model/format';
import { certificateMistake, hostMistake, nameMistake, passwordMistake, urlMistake, userMistake, type Mistake } from '../model/names';
import type { Provider } from '../model/types';
import { texts } from '../texts';
import { Terms } from './terms';
import { Choose, Field, PemField } from './fields';

const t = texts.providers;
const types = ['vsphere', 'ovirt', 'openshift'];

type Mistakes = Partial<Record<keyof ProviderDraft, Mistake>>;

// When a provider is edited, what is secret may stay empty.
function draftMistakes(draft: ProviderDraft, taken: string[], editing: boolean): Mistakes {
  const secret = (mistake: Mistake | undefined): Mistake | undefined => (editing && mistake === 'required' ? undefined : mistake);
  const mistakes: Mistakes = { name: editing ? undefined : nameMistake(draft.name, taken) };
  if (draft.type === 'openshift') {
    mistakes.ca = draft.ca ? certificateMistake(draft.ca) : undefined;
    mistakes.url = urlMistake(draft.url);
    mistakes.token = secret(draft.token ? undefined : 'required');
    return mistakes;
  }
  mistakes.host = hostMistake(draft.host);
  mistakes.user = secret(userMistake(draft.user));
  mistakes.password = secret(passwordMistake(draft.password));
  if (draft.type === 'ovirt') mistakes.ca = secret(certificateMistake(draft.ca));
  return mistakes;
}

interface Props {
  provider?: Provider;
  type: string;
  taken: string[];
  vddk?: string; // of the newest VMware provider
  onClose: () => void;
}

export function ProviderDialog({ provider, type, taken, vddk, onClose }: Props) {
  const editing = !!provider;
  const [draft, setDraft] = useState<ProviderDraft>(provider ? draftOf(provider) : { ...emptyDraft(type), vddk: vddk ?? '' });
  const [certificate, setCertificate] = useState<cluster.Certificate>();
  const [asking, setAsking] = useState(false);
  const [trusted, setTrusted] = useState(false);
  const [checking, setChecking] = useState(false);
  const [proved, setProved] = useState<ProviderDraft>(); // the draft with which the connection worked
  const [working, setWorking] = useState(false);
  const [problem, setProblem] = useState<string>();

  const mistakes = draftMistakes(draft, taken, editing);
  const moved = editing && urlOf(draft) !== provider.spec.url;
  const mustTrust = draft.type === 'vsphere' && (!editing || moved || !!certificate);
  const complete = Object.values(mistakes).every((mistake) => !mistake) && (!mustTrust || trusted);
  const change = (part: Partial<ProviderDraft>) => setDraft((before) => ({ ...before, ...part }));
  const move = (part: Partial<ProviderDraft>) => {
    change({ ...part, fingerprint: '' });
    setCertificate(undefined);
    setTrusted(false);
  };

  async function verify() {
    setAsking(true);
    setProblem(undefined);
    setTrusted(false);
    try {
      setCertificate(await cluster.certificateOf(urlOf(draft)));
    } catch (error) {
      setCertificate(undefined);
      setProblem(messageOf(error));
    }
    setAsking(false);
  }

  async function check() {
    setChecking(true);
    setProved(undefined);
    setProblem(undefined);
    try {
      await checkConnection(draft);
      setProved(draft);
    } catch (error) {
      setProblem(messageOf(error));
    }
    setChecking(false);
  }

  async function save() {
    setWorking(true);
    setProblem(undefined);
    try {
      await (provider ? editProvider(provider, draft) : addProvider(draft));
      onClose();
    } catch (error) {
      setProblem(messageOf(error));
      setWorking(false);
    }
  }

  const title = provider ? t.editTitle(provider.metadata.name) : t.add;
  const address = draft.type === 'openshift' ? mistakes.url : mistakes.host;
  const credentials = draft.type === 'openshift' ? !!draft.token : !!draft.user && !!draft.password;
  // What is stored is not known here, so it cannot be tried.
  const canCheck = !address && credentials && (draft.type !== 'vsphere' || trusted);
  const certifies = draft.type !== 'ovirt';

  return (
    <Modal isOpen variant="medium" onClose={onClose} aria-label={title}>
      <ModalHeader title={title} />
      <ModalBody>
        <Form
          id="provider-form"
          onSubmit={(event) => {
            event.preventDefault();
            if (complete && !working) void save();
          }}
        >
          <Choose
            id="provider-type"
            label={t.field.type}
            value={draft.type}
            choices={types.map((value) => ({ value, label: t.types[value]! }))}
            onChange={(value) => move({ ...emptyDraft(value), name: draft.name, vddk: value === 'vsphere' ? (vddk ?? '') : '' })}
            disabled={editing}
            required
          />
          <Field
            id="provider-name"
            label={draft.type === 'openshift' ? t.field.clusterName : t.field.name}
            help={t.field.nameHelp}
            value={draft.name}
            onChange={(name) => change({ name })}
            mistake={mistakes.name}
            disabled={editing}
            required
          />
          {draft.type === 'openshift' ? (
            <>
              <Field id="provider-url" label={t.field.url} help={t.field.urlHelp} value={draft.url} onChange={(url) => move({ url })} mistake={mistakes.url} required />
              <Field
                id="provider-token"
                label={t.field.token}
                help={editing ? t.field.tokenKeep : undefined}
                type="password"
                value={draft.token}
                onChange={(token) => change({ token })}
                mistake={mistakes.token}
                required={!editing}
              />
            </>
          ) : (
            <>
              <Field
                id="provider-host"
                label={draft.type === 'vsphere' ? t.field.vcenter : t.field.manager}
                value={draft.host}
                onChange={(host) => move({ host: host.trim() })}
                mistake={mistakes.host}
                required
              />
              <Field
                id="provider-user"
                label={t.field.user}
                help={draft.type === 'vsphere' ? t.field.userVsphere : t.field.userOvirt}
                value={draft.user}
                onChange={(user) => change({ user })}
                mistake={mistakes.user}
                required={!editing}
              />
              <Field
                id="provider-password"
                label={t.field.password}
                help={editing ? t.field.passwordKeep : undefined}
                type="password"
                value={draft.password}
                onChange={(password) => change({ password })}
                mistake={mistakes.password}
                required={!editing}
              />
            </>
          )}
          {draft.type === 'vsphere' && (
            <Field id="provider-vddk" label={t.field.vddk} help={t.field.vddkHelp} value={draft.vddk} onChange={(image) => change({ vddk: image.trim() })} />
          )}
          {draft.type !== 'vsphere' && (
            <PemField
              id="provider-ca"
              label={t.field.ca}
              help={editing ? t.field.caKeep : draft.type === 'ovirt' ? t.field.caHelp : t.field.caHelpCluster}
              value={draft.ca}
              onChange={(ca) => change({ ca })}
              mistake={mistakes.ca}
              required={!editing && draft.type === 'ovirt'}
            />
          )}
          <div className="gantry-row">
            <Button variant="secondary" isDisabled={!!address || asking} isLoading={asking} onClick={() => void verify()}>
              {asking ? t.verifying : t.verify}
            </Button>
            <Button variant="secondary" isDisabled={!canCheck || checking} isLoading={checking} onClick={() => void check()}>
              {checking ? t.checking : t.checkConnection}
            </Button>
          </div>
          {proved === draft && <Alert isInline variant="success" title={t.connected} role="status" />}
          {problem && <Alert isInline variant="danger" title={problem} role="alert" />}
          {certificate && <CertificatePanel certificate={certificate} before={provider?.status?.fingerprint} />}
          {certificate && certifies && (
            <Checkbox
              id="provider-trust"
              label={t.trust}
              isChecked={trusted}
              onChange={(_event, checked) => {
                setTrusted(checked);
                change({ fingerprint: checked ? certificate.fingerprint : '' });
              }}
            />
          )}
        </Form>
      </ModalBody>
      <ModalFooter>
        <Button type="submit" form="provider-form" isDisabled={!complete || working} isLoading={working}>
          {editing ? texts.common.save : texts.common.add}
        </Button>
        <Button variant="link" onClick={onClose}>
          {texts.common.cancel}
        </Button>
        {mustTrust && !trusted && <span className="gantry-subtle">{t.trustFirst}</span>}
      </ModalFooter>
    </Modal>
  );
}

function CertificatePanel({ certificate, before }: { certificate: cluster.Certificate; before?: string }) {
  const rows: [string, string | undefined][] = [
    [t.issuer, certificate.issuer],
    [t.subject, certificate.subject],
    [t.sha1, certificate.fingerprint],
    [t.sha256, certificate.sha256],
    [t.expires, certificate.validTo && (time(certificate.validTo) || certificate.validTo)],
  ];
  const same = before?.toUpperCase() === certificate.fingerprint.toUpperCase();
  return (
    <div aria-label={t.certificate} role="group">
      {before && <Alert isInline variant={same ? 'success' : 'warning'} title={same ? t.trustedBefore : t.differs} className="gantry-mb-md" />}
      <Terms isCompact isHorizontal rows={rows} missing={texts.common.unknown} />
    </div>
  );
}
