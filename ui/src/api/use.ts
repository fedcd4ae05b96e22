// Something that is fetched when a component appears, and again when its key changes.
import { useEffect, useState } from 'react';
import { messageOf } from './http';

export interface Fetched<T> {
  data?: T;
  problem?: string;
}

// key undefined: not yet to be fetched.
export function useFetched<T>(key: string | undefined, fetcher: () => Promise<T>): Fetched<T> {
  const [result, setResult] = useState<Fetched<T> & { key?: string }>({});
  useEffect(() => {
    if (key === undefined) return;
    let live = true;
    fetcher().then(
      (data) => live && setResult({ key, data }),
      (error: unknown) => live && setResult({ key, problem: messageOf(error) }),
    );
    return () => {
      live = false;
    };
    // The key stands for the fetcher.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [key]);
  return result.key === key ? result : {};
}
