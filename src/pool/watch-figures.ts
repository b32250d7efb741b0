import { watchDeviceEvents } from "../devicemapper/events.ts";
import type { Logger } from "../logger.ts";
import type { Pool } from "./pool.ts";

/** What tenants write is seen at the latest after this. */
const INTERVAL_MS = 5_000;
/** Our own devices coming and going are events too: many at once are looked at once. */
const SETTLE_MS = 250;

/** Keeps the pools' figures fresh: by the clock, and sooner when the kernel says that something happened, such as a low water mark. */
export function watchFigures(pools: readonly Pool[], logger: Logger): { close(): Promise<void> } {
  const look = (): void => {
    for (const pool of pools) {
      if (pool.view.status.kind !== "ready" || pool.view.stuck !== undefined) continue;
      pool.calls.refresh().catch((error: unknown) => logger.debug("the pool's figures could not be read", { pool: pool.description.name, error }));
    }
  };
  const clock = setInterval(look, INTERVAL_MS);
  let soon: NodeJS.Timeout | undefined;
  const events = watchDeviceEvents({
    onEvent: () => {
      soon ??= setTimeout(() => {
        soon = undefined;
        look();
      }, SETTLE_MS);
    },
    onFailure: (error) => logger.warn("the kernel's events cannot be followed: the pools are looked at by the clock alone", { error }),
  });
  return {
    close: async () => {
      clearInterval(clock);
      clearTimeout(soon);
      await events.close();
    },
  };
}
