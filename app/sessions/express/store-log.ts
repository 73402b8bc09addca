export type LogLevel = 'error' | 'warn' | 'log';

/** Any part of a console. */
export type PartialLogger = Partial<
  Record<LogLevel, (message: string, ...more: unknown[]) => void>
>;

export interface LogOptions {
  /** Where messages go; false: nowhere. Default: the console. */
  logger?: PartialLogger | false;
  /** Which messages. Default: `error`. */
  loggerLevel?: LogLevel | readonly LogLevel[];
}

/** All three functions, of which those that were not asked for do nothing. */
export function storeLog({ logger, loggerLevel = 'error' }: LogOptions) {
  // The console, as the interface has it that this one stands in for.
  const to: PartialLogger = logger === false ? {} : (logger ?? console);
  const levels = new Set<string>([loggerLevel].flat());
  const write =
    (level: LogLevel) =>
    (message: string, ...more: unknown[]) => {
      if (levels.has(level)) to[level]?.(message, ...more);
    };
  return { error: write('error'), warn: write('warn'), log: write('log') };
}

export type StoreLog = ReturnType<typeof storeLog>;
