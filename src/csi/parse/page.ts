import type { PageRequest } from "../../volumes/volumes.ts";
import { Problems } from "./problems.ts";

/** Clients take answers of 4 MiB: who asks for all gets pages too. */
const MAX_ENTRIES = 5000;

export function parsePage({ maxEntries, startingToken }: { readonly maxEntries: number; readonly startingToken: string }): PageRequest {
  const problems = new Problems();
  if (maxEntries < 0) problems.add(`max_entries is ${maxEntries}: 0 is no limit, and less there is not`);
  problems.throwIfAny();
  return { maxEntries: maxEntries === 0 ? MAX_ENTRIES : Math.min(maxEntries, MAX_ENTRIES), startingToken };
}
