import type { LogFields } from "../logger.ts";

const IDS = ["volumeId", "sourceVolumeId", "snapshotId", "groupSnapshotId"];
/** Where an answer has what was made. */
const MADE = ["volume", "snapshot", "groupSnapshot"];

/** What a call was about, for its line in the log: the ids of its request, and of what it made. */
export function subjectOf(request: object, response: object = {}): LogFields {
  const made = MADE.map((name): unknown => Reflect.get(response, name)).filter((value) => typeof value === "object" && value !== null);
  return Object.fromEntries([request, ...made].flatMap(idsOf));
}

const idsOf = (message: object): readonly (readonly [string, unknown])[] => Object.entries(message).filter(([key, value]) => IDS.includes(key) && value !== "");
