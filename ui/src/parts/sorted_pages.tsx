// A list that the browser has whole: found by name, sorted by a column's head, and cut into pages.
import { Button, Pagination, SearchInput } from '@patternfly/react-core';
import SearchIcon from '@patternfly/react-icons/dist/esm/icons/search-icon';
import type { ThProps } from '@patternfly/react-table';
import { useState, type ReactNode } from 'react';
import { pageOf, sorted, type Key, type Sorting } from '../model/pages';
import { texts } from '../texts';
import { Empty } from './states';

export interface SortedPages<Row> {
  rows: Row[]; // of this page
  found: number;
  search: ReactNode; // where the name is typed
  pager: ReactNode; // nothing while one page holds them all
  nothing: ReactNode; // for when none is found
  sortOf: (column: number) => ThProps['sort'];
}

// keys: by what each column sorts; the first is the name, which is also searched and decides between equals.
export function useSortedPages<Row>(all: Row[], keys: Key<Row>[]): SortedPages<Row> {
  const [text, setText] = useState('');
  const [sorting, setSorting] = useState<Sorting>({ by: 0, descending: false });
  const [page, setPage] = useState(1);
  const [perPage, setPerPage] = useState(20);
  const find = (wanted: string) => {
    setText(wanted);
    setPage(1);
  };
  const wanted = text.trim().toLowerCase();
  const found = sorted(
    all.filter((row) => String(keys[0]!(row)).toLowerCase().includes(wanted)),
    keys,
    sorting,
  );
  const { at, rows } = pageOf(found, page, perPage);
  return {
    rows,
    found: found.length,
    search: <SearchInput aria-label={texts.common.search} placeholder={texts.common.search} value={text} onChange={(_event, value) => find(value)} onClear={() => find('')} />,
    pager: found.length > 10 && (
      <Pagination
        itemCount={found.length}
        page={at}
        perPage={perPage}
        variant="bottom"
        onSetPage={(_event, to) => setPage(to)}
        onPerPageSelect={(_event, n) => {
          setPerPage(n);
          setPage(1);
        }}
      />
    ),
    nothing: (
      <Empty
        title={texts.common.noMatch}
        icon={SearchIcon}
        actions={
          <Button variant="link" onClick={() => find('')}>
            {texts.common.clearFilters}
          </Button>
        }
      />
    ),
    sortOf: (column) => ({
      sortBy: { index: sorting.by, direction: sorting.descending ? 'desc' : 'asc' },
      onSort: (_event, by, direction) => setSorting({ by, descending: direction === 'desc' }),
      columnIndex: column,
    }),
  };
}
