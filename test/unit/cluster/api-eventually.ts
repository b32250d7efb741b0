/** Resolves when it holds: what is asked of turns of the event loop, not of time. The test's own limit ends it otherwise. */
export async function eventually(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => void setTimeout(resolve, 1));
}
