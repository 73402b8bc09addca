export type LogLevel = 'error' | 'warn' | 'log';

/** Any subset of a console's functions. */
export type PartialLogger = Partial<
  Record<LogLevel, (message: string, ...more: unknown[]) => void>
>;

export interface LogOptions {
  /** Receives log messages; false turns them off. Default: the console. */
  logger?: PartialLogger | false;
  /** The levels to log. Default: `error`. */
  loggerLevel?: LogLevel | readonly LogLevel[];
}

/** Returns a log with all three functions. Those of other levels do nothing. */
export function storeLog({ logger, loggerLevel = 'error' }: LogOptions) {
  // The default is the console, for compatibility with @quixo3/prisma-session-store.
  const target: PartialLogger = logger === false ? {} : (logger ?? console);
  const levels = new Set<string>([loggerLevel].flat());
  const write =
    (level: LogLevel) =>
    (message: string, ...more: unknown[]) => {
      if (levels.has(level)) target[level]?.(message, ...more);
    };
  return { error: write('error'), warn: write('warn'), log: write('log') };
}

export type StoreLog = ReturnType<typeof storeLog>;
