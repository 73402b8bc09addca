import { startTransition, useEffect, useState } from 'react';

/**
 * True once scripts run: what differs between server and browser may be shown from then on. A
 * transition, because a forced render while the page still comes to life fails in React 18 (#345).
 */
export function useHydrated(): boolean {
  const [isHydrated, setIsHydrated] = useState(false);
  useEffect(() => {
    startTransition(() => setIsHydrated(true));
  }, []);
  return isHydrated;
}
