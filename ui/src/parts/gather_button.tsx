// "Get logs" of a plan or a VM: asks, waits, and becomes the archive's download.
import { Button, Tooltip } from '@patternfly/react-core';
import DownloadIcon from '@patternfly/react-icons/dist/esm/icons/download-icon';
import { useEffect, useRef, useState } from 'react';
import { archivePath, gather, useGatherings } from '../api/gather';
import { bytes } from '../model/format';
import { newestRecord, type Gathered } from '../model/gather';
import { texts } from '../texts';
import { Confirm } from './confirm';
import { useNotify } from './notices';

const t = texts.gather;

interface Props {
  what: Gathered;
  title: string; // for people: the plan's or the VM's name
  since: string; // when the object was made
  compact?: boolean;
}

export function GatherButton({ what, title, since, compact }: Props) {
  const { records, problem } = useGatherings();
  const [asking, setAsking] = useState(false);
  const notify = useNotify();
  const record = newestRecord(records, what.name, since);
  const status = record?.status;
  const before = useRef(status);

  useEffect(() => {
    const waited = before.current === 'new' || before.current === 'inprogress';
    if (waited && status === 'completed') notify('success', t.complete(title));
    if (waited && status === 'error') notify('danger', t.failed(title), record?.['exec-output']);
    before.current = status;
  }, [status, record, notify, title]);

  const variant = compact ? 'link' : 'secondary';
  if (status === 'new' || status === 'inprogress')
    return (
      <Button variant={variant} isInline={compact} isLoading isDisabled>
        {t.gathering}
      </Button>
    );
  const again = (
    <Button variant={record ? 'link' : variant} isInline={compact} isAriaDisabled={!!problem} onClick={() => setAsking(true)} aria-label={`${record ? t.again : t.get}: ${title}`}>
      {record ? t.again : t.get}
    </Button>
  );
  return (
    <>
      {status === 'completed' && record && (
        <Button variant={variant} isInline={compact} component="a" href={archivePath(record)} icon={<DownloadIcon />} aria-label={`${t.download}: ${title}`}>
          {t.download}
          {record['archive-size'] ? ` (${bytes(record['archive-size'])})` : ''}
        </Button>
      )}
      {problem || status === 'error' ? <Tooltip content={problem ? t.unreachable(problem) : t.failedBefore(record?.['exec-output'] ?? '')}>{again}</Tooltip> : again}
      {asking && (
        <Confirm title={t.title(title)} confirm={t.get} onConfirm={() => gather(what.name, what.command)} onClose={() => setAsking(false)}>
          {t.body}
        </Confirm>
      )}
    </>
  );
}
