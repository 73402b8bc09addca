/** Returns the result of a promise, or `answer` if it takes longer than `orAfterMs` milliseconds. */
export async function withTimeout<Answer, Late>(
  promise: Promise<Answer>,
  { orAfterMs, answer }: { orAfterMs: number; answer: Late },
): Promise<Answer | Late> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Late>((resolve) => {
    timer = setTimeout(() => resolve(answer), orAfterMs);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
