const UNITS = ['bytes', 'KB', 'MB', 'GB', 'TB'];
const STEP = 1000;

/** Returns a size such as "1.4 MB". */
export function sizeText(bytes: number): string {
  let [size, unit] = [bytes, 0];
  while (size >= STEP && unit < UNITS.length - 1) {
    size /= STEP;
    unit += 1;
  }
  return `${unit === 0 ? size : size.toFixed(1)} ${UNITS[unit]}`;
}
