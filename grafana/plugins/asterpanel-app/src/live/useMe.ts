import { useCallback, useEffect, useState } from 'react';

import { ApiError } from '../api/ApiError';
import { controlApi } from '../api/ControlApi';
import type { Me } from '../api/types';

/** While it cannot be told who I am, it is asked again so often. */
const AGAIN_MS = 5_000;

/** Who I am, or why that cannot be told. */
export interface WhoAmI {
  me: Me | null;
  error: ApiError | null;
  /** Ask again, as rights may be others by now. */
  reload(): void;
}

/** Who I am and what I may do; asked again until it is known. */
export function useMe(): WhoAmI {
  const [known, setKnown] = useState<Omit<WhoAmI, 'reload'>>({ me: null, error: null });
  const [asked, setAsked] = useState(0);
  useEffect(() => {
    let isOver = false;
    let timer = 0;
    controlApi()
      .me()
      .then(
        (me) => !isOver && setKnown({ me, error: null }),
        (error: ApiError) => {
          if (!isOver) {
            setKnown(({ me }) => ({ me, error }));
            timer = window.setTimeout(() => setAsked((count) => count + 1), AGAIN_MS);
          }
        }
      );
    return () => {
      isOver = true;
      window.clearTimeout(timer);
    };
  }, [asked]);
  const reload = useCallback(() => setAsked((count) => count + 1), []);
  return { ...known, reload };
}
