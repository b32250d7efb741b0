const HEARTBEAT_MS = 10_000;

const seconds = (since: number): string => `${((Date.now() - since) / 1000).toFixed(1)} s`;

/** One line for the person who waits; it goes to stderr, so that a command's own output stays clean. */
export function say(line: string): void {
  process.stderr.write(`lab: ${line}\n`);
}

/** Runs long work under a title: a line when it begins, one every ten seconds, and one with its time when it ends. */
export async function step<T>(title: string, work: () => Promise<T>): Promise<T> {
  const start = Date.now();
  say(`${title} ...`);
  const heartbeat = setInterval(() => say(`${title} ... ${seconds(start)}`), HEARTBEAT_MS);
  try {
    const result = await work();
    say(`${title}: ${seconds(start)}`);
    return result;
  } finally {
    clearInterval(heartbeat);
  }
}
