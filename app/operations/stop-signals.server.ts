/** npm passes on a Ctrl-C which the terminal has sent to the server as well. */
const SAME_SIGNAL_MS = 1000;
const STOPPED_AT_ONCE = 1;

/**
 * Stops the process when it is told to: by `stop` at the first SIGINT or SIGTERM, with exit code 0; at
 * once if one more comes while that is under way.
 */
export function stopOnSignals(stop: () => Promise<unknown>): void {
  let stoppingSince: number | null = null;
  const stopOnce = () => {
    if (stoppingSince === null) {
      stoppingSince = performance.now();
      void stop().then(() => process.exit(0));
    } else if (performance.now() - stoppingSince > SAME_SIGNAL_MS) {
      process.exit(STOPPED_AT_ONCE);
    }
  };
  process.on('SIGINT', stopOnce);
  process.on('SIGTERM', stopOnce);
}
