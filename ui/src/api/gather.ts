// Gatherings of logs and objects, through the must-gather API: asked for when a button for one is shown, then again every few
// seconds for as long as one is under way.
import { useEffect, useSyncExternalStore } from 'react';
import type { GatherRecord } from '../model/gather';
import { messageOf, request } from './http';

const again_ms = 3000;

interface Gatherings {
  records?: GatherRecord[];
  problem?: string;
}

let known: Gatherings = {};
let timer: ReturnType<typeof setTimeout> | undefined;
const listeners = new Set<() => void>();

const isUnderWay = (record: GatherRecord): boolean => record.status === 'new' || record.status === 'inprogress';

function learn(now: Gatherings): void {
  known = now;
  listeners.forEach((listener) => listener());
  clearTimeout(timer);
  timer = listeners.size > 0 && known.records?.some(isUnderWay) ? setTimeout(() => void ask(), again_ms) : undefined;
}

async function ask(): Promise<void> {
  try {
    learn({ records: await request<GatherRecord[]>('GET', '/must-gather-api/must-gather') });
  } catch (error) {
    learn({ ...known, problem: messageOf(error) }); // what is under way goes on being waited for
  }
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function useGatherings(): Gatherings {
  const found = useSyncExternalStore(subscribe, () => known);
  useEffect(() => void ask(), []);
  return found;
}

export async function gather(name: string, command: string): Promise<void> {
  await request('POST', '/must-gather-api/must-gather', { 'custom-name': name, command });
  await ask();
}

export const archivePath = (record: GatherRecord): string => `/must-gather-api/must-gather/${record.id}/data`;
