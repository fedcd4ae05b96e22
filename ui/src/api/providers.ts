// Writing providers and what belongs to them. The order matters: the Secret exists before the Provider that names it, and
// belongs to the Provider afterwards, so that it goes with it.
import type { Host, Provider } from '../model/types';
import * as cluster from './cluster';
import { request } from './http';

export interface ProviderDraft {
  type: string;
  name: string;
  host: string; // vSphere, oVirt
  url: string; // openshift
  user: string;
  password: string;
  token: string;
  ca: string;
  vddk: string;
  fingerprint: string; // SHA-1, as a person has trusted it
}

export const emptyDraft = (type: string): ProviderDraft => ({
  type,
  name: '',
  host: '',
  url: '',
  user: '',
  password: '',
  token: '',
  ca: '',
  vddk: '',
  fingerprint: '',
});

export function draftOf(provider: Provider): ProviderDraft {
  const url = provider.spec.url ?? '';
  let host = '';
  try {
    host = new URL(url).host;
  } catch {
    host = url;
  }
  return {
    ...emptyDraft(provider.spec.type),
    name: provider.metadata.name,
    host,
    url,
    vddk: provider.spec.settings?.vddkInitImage ?? '',
  };
}

export function urlOf(draft: ProviderDraft): string {
  switch (draft.type) {
    case 'vsphere':
      return `https://${draft.host}/sdk`;
    case 'ovirt':
      return `https://${draft.host}/ovirt-engine/api`;
    default:
      return draft.url;
  }
}

// Only what was typed: what is empty stays as it is stored.
function secretOf(draft: ProviderDraft): Record<string, string> {
  const values: Record<string, string> = {};
  const put = (key: string, value: string): void => {
    if (value) values[key] = value;
  };
  if (draft.type === 'openshift') {
    put('token', draft.token);
  } else {
    put('user', draft.user);
    put('password', draft.password);
  }
  if (draft.type === 'ovirt') put('cacert', draft.ca);
  else if (draft.type === 'vsphere') put('thumbprint', draft.fingerprint);
  else {
    put('cacert', draft.ca);
    if (!draft.ca) put('thumbprint', draft.fingerprint);
  }
  if (Object.keys(values).length) values.url = urlOf(draft);
  return values;
}

// Whether the provider could be used as it is described; an Error says why not.
export const checkConnection = (draft: ProviderDraft): Promise<{ product: string }> =>
  request('POST', '/check-connection', {
    type: draft.type,
    url: urlOf(draft),
    user: draft.user,
    password: draft.password,
    token: draft.token,
    ca: draft.ca,
    fingerprint: draft.ca ? '' : draft.fingerprint,
  });

const labels = (draft: ProviderDraft): Record<string, string> => ({
  createdForProviderType: draft.type,
  createdForResourceType: 'providers',
  createdForResource: draft.name,
});

export async function addProvider(draft: ProviderDraft): Promise<void> {
  const secret = await cluster.createSecret(`${draft.name}-`, labels(draft), secretOf(draft));
  let provider: Provider;
  try {
    provider = await cluster.create<Provider>('Provider', {
      metadata: { name: draft.name },
      spec: {
        type: draft.type,
        url: urlOf(draft),
        secret: { name: secret.metadata.name, namespace: secret.metadata.namespace },
        ...(draft.type === 'vsphere' && draft.vddk ? { settings: { vddkInitImage: draft.vddk } } : {}),
      },
    });
  } catch (error) {
    await cluster.removeSecret(secret.metadata.name).catch(() => {});
    throw error;
  }
  await cluster.patchSecret(secret.metadata.name, { metadata: { ownerReferences: [cluster.ownerOf(provider, 'Provider')] } });
}

export async function editProvider(provider: Provider, draft: ProviderDraft): Promise<void> {
  const values = secretOf(draft);
  if (Object.keys(values).length && provider.spec.secret?.name) await cluster.patchSecret(provider.spec.secret.name, { stringData: values });
  await cluster.patch('Provider', provider.metadata.name, {
    spec: {
      url: urlOf(draft),
      ...(draft.type === 'vsphere' ? { settings: { vddkInitImage: draft.vddk || null } } : {}),
    },
  });
}

export const setTransferNetwork = (provider: Provider, network: string): Promise<unknown> =>
  cluster.patch('Provider', provider.metadata.name, { metadata: { annotations: { 'forklift.konveyor.io/defaultTransferNetwork': network } } });

// "namespace/name", or only "name" when it was written elsewhere: then it is that of the plan's target namespace. "": the Pod network.
export const transferNetworkOf = (provider: Provider): string => provider.metadata.annotations?.['forklift.konveyor.io/defaultTransferNetwork'] ?? '';

// What a plan into a namespace begins with: the provider's network where that namespace has it, else the Pod network ("").
export function transferNetworkIn(target: Provider, namespace: string, networks: cluster.KubeItem[]): string {
  const chosen = transferNetworkOf(target);
  const [ns, name] = chosen.includes('/') ? chosen.split('/') : [namespace, chosen];
  return name && ns === namespace && networks.some((item) => item.namespace === ns && item.name === name) ? name : '';
}

// ---- the network over which a host's disks come ----

const hostName = (provider: string, id: string): string => `${provider}-${id}-config`.toLowerCase().replace(/[^-a-z0-9.]/g, '-').slice(0, 63).replace(/[-.]+$/, '');

// ip undefined: the management network, which needs no Host. Without credentials the host is read with tickets of its vCenter or Manager.
export async function setHostNetwork(
  provider: Provider,
  host: cluster.InventoryHost,
  existing: Host | undefined,
  ip: string | undefined,
  credentials: { user: string; password: string } | undefined,
): Promise<void> {
  if (ip === undefined) {
    if (existing) await cluster.remove('Host', existing.metadata.name);
    return;
  }
  const secret = credentials && (await createHostSecret(provider, host, { ip, ...credentials }));
  const secretRef = secret && { name: secret.metadata.name, namespace: secret.metadata.namespace };
  const written = existing
    ? await cluster.patch<Host>('Host', existing.metadata.name, { spec: { ipAddress: ip, secret: secretRef ?? null } })
    : await cluster.create<Host>('Host', {
        metadata: { name: hostName(provider.metadata.name, host.id), ownerReferences: [cluster.ownerOf(provider, 'Provider')] },
        spec: { id: host.id, ipAddress: ip, provider: cluster.refOf(provider), secret: secretRef },
      });
  if (secret) await cluster.patchSecret(secret.metadata.name, { metadata: { ownerReferences: [cluster.ownerOf(written, 'Host')] } });
  if (existing?.spec.secret?.name) await cluster.removeSecret(existing.spec.secret.name).catch(() => {});
}

const createHostSecret = (provider: Provider, host: cluster.InventoryHost, values: Record<string, string>): Promise<cluster.CreatedSecret> =>
  cluster.createSecret(
    `${hostName(provider.metadata.name, host.id)}-`,
    { createdForResourceType: 'hosts', createdForResource: host.id },
    { ...values, provider: provider.metadata.name },
  );
