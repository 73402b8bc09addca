import { startTransition, useEffect, useState } from 'react';

/**
 * Returns true after hydration, when the page may differ from the server's HTML. Set in a transition,
 * because a synchronous render during hydration fails in React 18 (#345).
 */
export function useHydrated(): boolean {
  const [isHydrated, setIsHydrated] = useState(false);
  useEffect(() => {
    startTransition(() => setIsHydrated(true));
  }, []);
  return isHydrated;
}
