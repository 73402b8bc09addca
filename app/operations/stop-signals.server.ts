/** npm forwards a Ctrl-C that the terminal has also sent to the server: both count as one signal. */
const SAME_SIGNAL_MS = 1000;
const FORCED_EXIT_CODE = 1;

/**
 * Stops the process on a signal. The first SIGINT or SIGTERM calls `stop`, and then exits with code 0. A
 * second signal meanwhile exits at once, with code 1.
 */
export function stopOnSignals(stop: () => Promise<unknown>): void {
  let stoppingSince: number | null = null;
  const stopOnce = () => {
    if (stoppingSince === null) {
      stoppingSince = performance.now();
      void stop().then(() => process.exit(0));
    } else if (performance.now() - stoppingSince > SAME_SIGNAL_MS) {
      process.exit(FORCED_EXIT_CODE);
    }
  };
  process.on('SIGINT', stopOnce);
  process.on('SIGTERM', stopOnce);
}
