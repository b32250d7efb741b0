import { setTimeout as sleep } from "node:timers/promises";

const STEP_MS = 5;
const GIVE_UP_MS = 100_000;

/** Until the check passes: for what follows by itself. Then it throws what the check last threw; no test depends on how long it took. */
export async function eventually(check: () => void | Promise<void>): Promise<void> {
  const until = performance.now() + GIVE_UP_MS;
  for (;;) {
    try {
      await check();
      return;
    } catch (error) {
      if (performance.now() > until) throw error;
    }
    await sleep(STEP_MS);
  }
}
