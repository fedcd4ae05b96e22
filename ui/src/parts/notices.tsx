// Short notices in the corner: what was done, and what did not work.
import { Alert, AlertActionCloseButton, AlertGroup } from '@patternfly/react-core';
import { createContext, useCallback, useContext, useState, type ReactNode } from 'react';
import { messageOf } from '../api/http';
import { texts } from '../texts';

interface Notice {
  id: number;
  variant: 'success' | 'danger' | 'info';
  title: string;
  body?: string;
}

type Notify = (variant: Notice['variant'], title: string, body?: string) => void;

const NoticesContext = createContext<Notify>(() => {});
export const useNotify = (): Notify => useContext(NoticesContext);

// Runs something that may fail, and says so when it does. Resolves to whether it worked.
export function useAttempt(): (what: string, action: () => Promise<unknown>) => Promise<boolean> {
  const notify = useNotify();
  return useCallback(
    async (what, action) => {
      try {
        await action();
        return true;
      } catch (error) {
        notify('danger', texts.common.failed(what), messageOf(error));
        return false;
      }
    },
    [notify],
  );
}

let nextId = 1;

export function Notices({ children }: { children: ReactNode }) {
  const [notices, setNotices] = useState<Notice[]>([]);
  const close = useCallback((id: number) => setNotices((all) => all.filter((notice) => notice.id !== id)), []);
  const notify = useCallback<Notify>((variant, title, body) => {
    setNotices((all) => [...all.slice(-4), { id: nextId++, variant, title, body }]);
  }, []);

  return (
    <NoticesContext.Provider value={notify}>
      {children}
      <AlertGroup isToast isLiveRegion>
        {notices.map(({ id, variant, title, body }) => (
          <Alert
            key={id}
            variant={variant}
            title={title}
            timeout={variant === 'danger' ? false : 6000}
            onTimeout={() => close(id)}
            actionClose={<AlertActionCloseButton aria-label={`${texts.common.close}: ${title}`} onClose={() => close(id)} />}
          >
            {body}
          </Alert>
        ))}
      </AlertGroup>
    </NoticesContext.Provider>
  );
}
