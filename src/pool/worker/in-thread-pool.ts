import { PoolEngine } from "../engine.ts";
import type { EngineParts } from "../engine-parts.ts";
import type { Pool } from "../pool.ts";
import { LiveView } from "./view.ts";

/** A pool whose engine runs in the caller's own thread: for tests, on the simulated kernel or on the real one. */
export async function openInThread(parts: EngineParts): Promise<Pool> {
  const view = new LiveView();
  const engine = await PoolEngine.start(parts, (news) => view.apply(news));
  return { description: parts.description, view, calls: engine, close: async () => engine.close() };
}
