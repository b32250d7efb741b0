import type { Run } from "../exec/run.ts";
import type { Logger } from "../logger.ts";
import { holdersOf } from "./holders.ts";
import { PLAIN } from "./mount.ts";
import { mountsAt } from "./mounts.ts";
import { canonicalTarget } from "./targets.ts";

/** Most of it is writing out what is in memory. A container's end waits on this, so it is not for ever. */
const PLAIN_DEADLINE_MS = 30_000;
const LAZY_DEADLINE_MS = 10_000;

type Unmounted = "not-mounted" | "unmounted" | "detached";

/** Takes off everything that is stacked on the target. */
export async function unmount(run: Run, logger: Logger, path: string, signal: AbortSignal | undefined): Promise<Unmounted> {
  const target = await canonicalTarget(path);
  let outcome: Unmounted = "not-mounted";
  for (let left = (await mountsAt(target)).length; left > 0;) {
    const how = await unmountTop(run, logger, target, signal);
    if (outcome !== "detached") outcome = how;
    const now = (await mountsAt(target)).length;
    // Somebody else may take them off at the same time; nobody may make this go on for ever by putting more on.
    left = now < left ? now : 0;
  }
  return outcome;
}

async function unmountTop(run: Run, logger: Logger, target: string, signal: AbortSignal | undefined): Promise<"unmounted" | "detached"> {
  const before = await mountsAt(target);
  const top = before.at(-1);
  if (top === undefined) return "unmounted";
  try {
    await run(["umount", ...PLAIN, target], { signal, deadlineMs: PLAIN_DEADLINE_MS });
    return "unmounted";
  } catch (cause) {
    if (signal?.aborted === true) throw cause;
    // What hangs in the kernel writing out its last is off the list of mounts, and at work all the same.
    if ((await mountsAt(target)).length < before.length) return "detached";
    const holders = await holdersOf(run, target, top);
    logger.warn("a mount is busy, so it is detached now and gone when its last holder is", { target, holders, cause });
    await run(["umount", ...PLAIN, "--lazy", target], { signal, deadlineMs: LAZY_DEADLINE_MS });
    return "detached";
  }
}
