// Sorting a list by one of its columns, and cutting it into pages.
export type Key<Row> = (row: Row) => string | number;

export interface Sorting {
  by: number; // which of the keys
  descending: boolean;
}

const compare = (a: string | number, b: string | number): number =>
  typeof a === 'number' && typeof b === 'number' ? a - b : String(a).localeCompare(String(b), undefined, { numeric: true });

// A new list. Between equals the first key decides.
export function sorted<Row>(rows: Row[], keys: Key<Row>[], { by, descending }: Sorting): Row[] {
  const key = keys[by]!;
  const name = keys[0]!;
  return [...rows].sort((a, b) => {
    const order = compare(key(a), key(b));
    return order ? (descending ? -order : order) : compare(name(a), name(b));
  });
}

// page counts from 1; what is deleted or filtered may leave fewer pages, then the last is shown.
export function pageOf<Row>(rows: Row[], page: number, perPage: number): { at: number; rows: Row[] } {
  const at = Math.min(page, Math.max(1, Math.ceil(rows.length / perPage)));
  return { at, rows: rows.slice((at - 1) * perPage, at * perPage) };
}
