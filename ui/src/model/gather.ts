// What is gathered for whom: the names that Forklift's console gives to gatherings, and the newest one of a name.
export interface GatherRecord {
  id: number;
  'created-at'?: string;
  'custom-name': string;
  status: 'new' | 'inprogress' | 'completed' | 'error';
  'archive-size'?: number;
  'exec-output'?: string;
}

export interface Gathered {
  name: string; // of the record
  command: string;
}

export const ofPlan = (plan: string): Gathered => ({ name: `plan:${plan}`, command: `PLAN=${plan} /usr/bin/targeted` });
export const ofVm = (id: string): Gathered => ({ name: `vm:${id}`, command: `VM=${id} /usr/bin/targeted` });

// The newest record of that name that was asked for since a time: what was gathered for an older object of the name does not count.
export function newestRecord(records: GatherRecord[] | undefined, name: string, since: string): GatherRecord | undefined {
  return (records ?? [])
    .filter((record) => record['custom-name'] === name && Date.parse(record['created-at'] ?? since) >= Date.parse(since))
    .sort((a, b) => b.id - a.id)[0];
}
