/**
 * SIGINT, SIGTERM and SIGHUP while threads write images: a thread hears of no signal, and one that is cut off would leave its
 * temporary file. So the images at hand are finished, and then the process ends as the signal asks; a second one ends it at once.
 */
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Runs the work, which asks whether it is to stop. Does not return after a signal. */
export async function untilSignal<T>(careful: boolean, work: (stopped: () => boolean) => Promise<T>): Promise<T> {
  if (!careful) return work(() => false);
  let got: NodeJS.Signals | undefined;
  const end = (signal: NodeJS.Signals) => {
    for (const each of SIGNALS) process.removeAllListeners(each);
    process.kill(process.pid, signal);
  };
  const listen = (signal: NodeJS.Signals) => {
    if (got !== undefined) end(signal);
    got = signal;
  };
  for (const signal of SIGNALS) process.on(signal, listen);
  try {
    const result = await work(() => got !== undefined);
    if (got === undefined) return result;
    end(got);
    // The signal ends the process before this is over.
    return await new Promise<T>((_, reject) => setTimeout(reject, 10_000));
  } finally {
    for (const signal of SIGNALS) process.removeListener(signal, listen);
  }
}
