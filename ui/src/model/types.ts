// What the server sends: custom resources as Kubernetes keeps them, plans as digests (src/console/digest.c) and the VMs
// of the plan that is looked at as rows. Only the fields that the console reads are named.

export interface Ref {
  id?: string;
  name?: string;
  namespace?: string;
  uid?: string;
  type?: string;
}

export type Category = 'Critical' | 'Error' | 'Warn' | 'Required' | 'Advisory';

export interface Condition {
  type: string;
  status: string;
  category?: Category;
  reason?: string;
  message?: string;
  suggestion?: string;
  items?: string[];
  itemCount?: number;
  lastTransitionTime?: string;
}

export interface Metadata {
  name: string;
  namespace?: string;
  uid: string;
  creationTimestamp: string;
  generation?: number;
  resourceVersion?: string;
  deletionTimestamp?: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  ownerReferences?: { kind: string; name: string; uid: string; apiVersion: string }[];
}

export interface Resource {
  apiVersion?: string;
  kind: string;
  metadata: Metadata;
}

export type ProviderType = 'vsphere' | 'ovirt' | 'openshift' | string;

export interface Provider extends Resource {
  kind: 'Provider';
  spec: { type: ProviderType; url?: string; secret?: Ref; settings?: Record<string, string> };
  status?: { phase?: string; conditions?: Condition[]; fingerprint?: string };
}

export interface NetworkMap extends Resource {
  kind: 'NetworkMap';
  spec: {
    provider: { source: Ref; destination: Ref };
    map?: { source: Ref; destination: { type: string; name?: string; namespace?: string } }[];
  };
  status?: { conditions?: Condition[] };
}

export interface StorageMap extends Resource {
  kind: 'StorageMap';
  spec: {
    provider: { source: Ref; destination: Ref };
    map?: { source: Ref; destination: { storageClass: string; volumeMode?: string; accessMode?: string } }[];
  };
  status?: { conditions?: Condition[] };
}

export interface Host extends Resource {
  kind: 'Host';
  spec: { id?: string; name?: string; ipAddress?: string; provider: Ref; secret?: Ref };
  status?: { conditions?: Condition[] };
}

export interface Hook extends Resource {
  kind: 'Hook';
  spec: { image?: string; playbook?: string; deadline?: number };
  status?: { conditions?: Condition[] };
}

export interface Migration extends Resource {
  kind: 'Migration';
  spec: { plan: Ref; cutover?: string | null; cancel?: Ref[] };
  status?: { started?: string; completed?: string; conditions?: Condition[] };
}

export interface ForkliftController extends Resource {
  kind: 'ForkliftController';
  spec: Record<string, unknown>;
  status?: { conditions?: Condition[] };
}

// How many of a plan's VMs are where, and how far their disks are.
export interface VmCounts {
  total: number; // VMs in the plan
  reported: number; // VMs that have a row in status
  succeeded: number;
  failed: number;
  canceled: number;
  running: number;
  queued: number;
  precopying: number; // warm VMs that have begun a copy and no later step
  cutoverStarted: number; // warm VMs past their copies
}

export interface Plan extends Resource {
  kind: 'Plan';
  spec: {
    description?: string;
    provider: { source: Ref; destination: Ref };
    map: { network?: Ref; storage?: Ref };
    targetNamespace: string;
    warm?: boolean;
    type?: string;
    archived?: boolean;
    transferNetwork?: Ref;
  };
  status?: {
    conditions?: Condition[];
    started?: string;
    completed?: string;
    migration?: Ref; // that of the last entry of the history
    vms: VmCounts;
    bytes: { done: number; total: number };
    failures?: VmFailure[]; // the first fifty
    cutover?: { seconds: number; vms: number }; // how long the last copy is expected to take, of the slowest of so many VMs
  };
}

export interface VmFailure {
  id?: string;
  name?: string;
  reason: string;
  remedy?: string;
}

export interface Failure {
  phase?: string;
  reasons?: string[];
}

export interface Progress {
  completed: number;
  total: number;
}

export interface Task {
  name: string;
  description?: string;
  phase?: string;
  reason?: string;
  progress?: Progress;
  annotations?: Record<string, string>;
  started?: string;
  completed?: string;
  error?: Failure;
}

export interface Step extends Task {
  tasks?: Task[];
}

export interface Precopy {
  start?: string;
  end?: string;
  snapshot?: string;
  error?: string;
}

export type VmState = 'NotStarted' | 'Queued' | 'Running' | 'Copying' | 'WaitingCutover' | 'Succeeded' | 'Failed' | 'Canceled';

export interface VmRow {
  state?: VmState; // as the server counts it (src/console/rows.c)
  id?: string;
  name?: string;
  phase?: string;
  started?: string;
  completed?: string;
  error?: Failure;
  conditions?: Condition[];
  pipeline?: Step[];
  warm?: {
    successes?: number;
    failures?: number;
    consecutiveFailures?: number;
    nextPrecopyAt?: string;
    precopies?: Precopy[];
    leftOut?: number; // how many are no longer listed, after the first four
  };
  restorePowerState?: string;
  operatingSystem?: string;
  newName?: string;
  hooks?: { step: string; hook: Ref }[];
}

export interface Concern {
  id?: string;
  label: string;
  category: string;
  assessment: string;
}

export type AnyResource = Provider | NetworkMap | StorageMap | Host | Hook | Migration | ForkliftController | Plan;
export type Kind = AnyResource['kind'];

export interface Session {
  user: string;
  namespace: string;
  version: string;
}
