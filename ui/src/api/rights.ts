// What the signed-in account may change, asked once at sign-in. The API server decides all the same; this is so that a page says
// beforehand, and in words, what would be refused.
import { useSyncExternalStore } from 'react';
import type { Kind } from '../model/types';
import { texts } from '../texts';
import * as cluster from './cluster';

export type Verb = 'create' | 'patch' | 'delete';
export type Changeable = Kind | 'Secret' | 'Namespace';

const resources: Record<Changeable, { group: string; resource: string }> = {
  Provider: { group: 'forklift.konveyor.io', resource: 'providers' },
  NetworkMap: { group: 'forklift.konveyor.io', resource: 'networkmaps' },
  StorageMap: { group: 'forklift.konveyor.io', resource: 'storagemaps' },
  Host: { group: 'forklift.konveyor.io', resource: 'hosts' },
  Hook: { group: 'forklift.konveyor.io', resource: 'hooks' },
  Plan: { group: 'forklift.konveyor.io', resource: 'plans' },
  Migration: { group: 'forklift.konveyor.io', resource: 'migrations' },
  ForkliftController: { group: 'forklift.konveyor.io', resource: 'forkliftcontrollers' },
  Secret: { group: '', resource: 'secrets' },
  Namespace: { group: '', resource: 'namespaces' },
};

// Rules that name single objects say nothing about a kind; where the API server does not know all rules, it is asked by trying.
export function allows(rules: cluster.Rules | undefined, verb: Verb, kind: Changeable): boolean {
  if (!rules || rules.incomplete) return true;
  const { group, resource } = resources[kind];
  const has = (list: string[] | undefined, wanted: string): boolean => !!list?.some((each) => each === '*' || each === wanted);
  return rules.resourceRules.some((rule) => !rule.resourceNames?.length && has(rule.verbs, verb) && has(rule.apiGroups, group) && has(rule.resources, resource));
}

let known: cluster.Rules | undefined;
const listeners = new Set<() => void>();

function learn(rules: cluster.Rules | undefined): void {
  known = rules;
  listeners.forEach((listener) => listener());
}

// Asks anew, for the account that has just signed in.
export function loadRights(): void {
  learn(undefined);
  cluster.rules().then(learn, () => {});
}

const subscribe = (listener: () => void): (() => void) => {
  listeners.add(listener);
  return () => listeners.delete(listener);
};

// A function that gives the sentence to show when the account may not do that to any of these kinds, and undefined when it may.
export function useDenied(): (verb: Verb, ...kinds: Changeable[]) => string | undefined {
  const rules = useSyncExternalStore(subscribe, () => known);
  return (verb, ...kinds) => {
    const missing = kinds.find((kind) => !allows(rules, verb, kind));
    return missing && texts.rights.denied(texts.rights.verb[verb], resources[missing].resource);
  };
}
