import { expect } from "@jest/globals";
import type { Answer } from "./api-server.ts";

/** One of dmthin's, for kubectl's input. */
export const object = (kind: string, name: string, spec: object, rest: object = {}): string =>
  JSON.stringify({ apiVersion: "dmthin.io/v1alpha1", kind, metadata: { name }, spec, ...rest });

/** A ThinVolume's spec. */
export const volume = (more: object = {}) => ({
  name: "pvc-1",
  nodeName: "node1",
  poolName: "fast",
  requiredBytes: 1000,
  capabilities: [{ access: "mount", mode: "SINGLE_NODE_WRITER" }],
  ...more,
});

export const accepted = ({ text, isDone }: Answer): void => expect(isDone ? "" : text).toBe("");

export const refused = ({ text, isDone }: Answer, why: string | RegExp): void => {
  expect({ isDone, text }).toEqual({ isDone: false, text: typeof why === "string" ? expect.stringContaining(why) : expect.stringMatching(why) });
};
