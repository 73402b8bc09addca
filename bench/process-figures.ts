import { readFileSync } from 'node:fs';

const TICKS_PER_SECOND = 100;
const MICROSECONDS_PER_TICK = 1_000_000 / TICKS_PER_SECOND;
const KIB_PER_MIB = 1024;

/**
 * Reads figures of a process on Linux (proc(5)).
 *
 * @throws on systems without /proc.
 */
export const processFigures = {
  /** Returns the CPU time of all its threads since its start, in microseconds, with a precision of 10,000. */
  cpuMicroseconds(pid: number): number {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name is in brackets, and may have spaces.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) * MICROSECONDS_PER_TICK;
  },
  /** Returns its memory in RAM, in MiB. */
  residentMiB(pid: number): number {
    const [, kib] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
    return Number(kib) / KIB_PER_MIB;
  },
};
