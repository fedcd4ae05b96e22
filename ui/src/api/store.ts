// The browser's copy of what the server tells: objects by kind and name, and the VMs of the plan that is looked at. React
// components subscribe with useStore(); changes within one frame are drawn together.
import { useSyncExternalStore } from 'react';
import { RateMeter } from '../model/rate';
import type { AnyResource, ForkliftController, Hook, Host, Kind, Migration, NetworkMap, Plan, Provider, StorageMap, VmRow } from '../model/types';
import { bytesOf, disksOf } from '../model/vm_state';

export type Connection = 'connecting' | 'live' | 'lost';

// VMs of the page of a plan that is looked at. reset: these rows are all of it, else those that changed.
export interface Page {
  rows: VmRow[];
  reset: boolean;
  found: number; // that pass the filter
  offset: number;
}

export interface Trouble {
  reason: string;
  message: string;
}

interface KindTypes {
  Provider: Provider;
  NetworkMap: NetworkMap;
  StorageMap: StorageMap;
  Host: Host;
  Hook: Hook;
  Plan: Plan;
  Migration: Migration;
  ForkliftController: ForkliftController;
}

const kinds: Kind[] = ['Provider', 'NetworkMap', 'StorageMap', 'Host', 'Hook', 'Plan', 'Migration', 'ForkliftController'];

export class Store {
  connection: Connection = 'connecting';
  lostSince: number | undefined;
  synced = false;
  version = 0;

  private objects = new Map<Kind, Map<string, AnyResource>>(kinds.map((kind) => [kind, new Map()]));
  private seen: Set<string> | undefined; // what this connection has told, until it is synced
  private troubles = new Map<Kind, Trouble>();
  private rowsPlan: string | undefined;
  private rowsByKey = new Map<string, VmRow>();
  private rowsFound = 0;
  private rowsOffset = 0;
  private meters = new Map<string, RateMeter>();
  private planMeters = new Map<string, RateMeter>();
  private listeners = new Set<() => void>();
  private scheduled = false;

  // ---- what components read ----

  list<K extends Kind>(kind: K): KindTypes[K][] {
    return [...this.objects.get(kind)!.values()] as KindTypes[K][];
  }

  get<K extends Kind>(kind: K, name: string | undefined): KindTypes[K] | undefined {
    return name === undefined ? undefined : (this.objects.get(kind)!.get(name) as KindTypes[K] | undefined);
  }

  trouble(kind: Kind): Trouble | undefined {
    return this.troubles.get(kind);
  }

  rows(plan: string): VmRow[] {
    return plan === this.rowsPlan ? [...this.rowsByKey.values()] : [];
  }

  hasRows(plan: string): boolean {
    return plan === this.rowsPlan;
  }

  // How many of the plan's VMs pass the filter, and at which of them the rows begin.
  place(plan: string): { found: number; offset: number } {
    return plan === this.rowsPlan ? { found: this.rowsFound, offset: this.rowsOffset } : { found: 0, offset: 0 };
  }

  diskMeter(vm: VmRow, task: string): RateMeter | undefined {
    return this.meters.get(`${rowKey(vm)}/${task}`);
  }

  planMeter(plan: string): RateMeter | undefined {
    return this.planMeters.get(plan);
  }

  // ---- what the event stream writes ----

  hello(): void {
    this.seen = new Set();
    this.connection = 'live';
    this.lostSince = undefined;
    this.changed();
  }

  lost(now: number): void {
    if (this.connection === 'lost') return;
    this.connection = 'lost';
    this.lostSince = now;
    this.changed();
  }

  upsert(object: AnyResource, now: number): void {
    this.seen?.add(`${object.kind}/${object.metadata.name}`);
    this.objects.get(object.kind)?.set(object.metadata.name, object);
    if (object.kind === 'Plan' && object.status?.bytes.total) {
      const meter = this.planMeters.get(object.metadata.name) ?? new RateMeter();
      meter.add(object.status.bytes.done, now);
      this.planMeters.set(object.metadata.name, meter);
    }
    this.changed();
  }

  remove(kind: Kind, name: string): void {
    this.forget(kind, this.objects.get(kind), name);
    this.changed();
  }

  private forget(kind: Kind, byName: Map<string, AnyResource> | undefined, name: string): void {
    byName?.delete(name);
    if (kind === 'Plan') this.planMeters.delete(name);
  }

  // Everything was told: what was not, has gone while we were not connected.
  allTold(): void {
    if (this.seen)
      for (const [kind, byName] of this.objects)
        for (const name of [...byName.keys()]) if (!this.seen.has(`${kind}/${name}`)) this.forget(kind, byName, name);
    this.seen = undefined;
    this.synced = true;
    this.changed();
  }

  setTrouble(kind: Kind, trouble: Trouble): void {
    if (trouble.reason) this.troubles.set(kind, trouble);
    else this.troubles.delete(kind);
    this.changed();
  }

  setRows(plan: string, { rows, reset, found, offset }: Page, now: number): void {
    if (reset || plan !== this.rowsPlan) this.rowsByKey = new Map();
    if (plan !== this.rowsPlan) this.meters.clear();
    this.rowsPlan = plan;
    this.rowsFound = found;
    this.rowsOffset = offset;
    for (const row of rows) {
      this.rowsByKey.set(rowKey(row), row);
      for (const { task } of disksOf(row)) this.meter(row, task.name).add(bytesOf(task).done, now);
    }
    this.changed();
  }

  private meter(row: VmRow, task: string): RateMeter {
    const key = `${rowKey(row)}/${task}`;
    const meter = this.meters.get(key) ?? new RateMeter();
    this.meters.set(key, meter);
    return meter;
  }

  // Forgets everything: somebody else may sign in.
  clear(): void {
    for (const byName of this.objects.values()) byName.clear();
    this.troubles.clear();
    this.rowsByKey.clear();
    this.rowsPlan = undefined;
    this.meters.clear();
    this.planMeters.clear();
    this.synced = false;
    this.connection = 'connecting';
    this.changed();
  }

  // ---- React ----

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  private changed(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    setTimeout(() => {
      this.scheduled = false;
      this.version++;
      for (const listener of this.listeners) listener();
    }, 50);
  }
}

export const rowKey = (row: VmRow): string => row.id || row.name || '';

export const store = new Store();

// Draws the component again whenever something was told.
export function useStore(): Store {
  useSyncExternalStore(store.subscribe, () => store.version);
  return store;
}
