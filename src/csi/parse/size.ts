import type { SizeRange } from "../../volumes/volumes.ts";
import type { CapacityRange } from "../generated/csi.ts";
import type { Problems } from "./problems.ts";

/** No range is 0n without a limit: any size. */
export function parseSizeRange(range: CapacityRange | null, problems: Problems): SizeRange {
  const required = BigInt(range?.requiredBytes ?? 0);
  const limit = BigInt(range?.limitBytes ?? 0);
  if (required < 0n) problems.add(`capacity_range.required_bytes is ${required}: sizes are not negative`);
  if (limit < 0n) problems.add(`capacity_range.limit_bytes is ${limit}: sizes are not negative`);
  if (limit > 0n && limit < required) problems.add(`capacity_range.limit_bytes (${limit}) is below required_bytes (${required})`);
  return { requiredBytes: required, limitBytes: limit === 0n ? undefined : limit };
}

export function parseRequiredSizeRange(range: CapacityRange | null, problems: Problems): SizeRange {
  if (range === null) problems.add("capacity_range is missing");
  return parseSizeRange(range, problems);
}
