import type { Tally } from "../harness/tally.ts";

/** Specs that cannot run here, and why. Any other that is skipped counts as failed. */
export const JUSTIFIED: Readonly<Record<string, string>> = {
  "should succeed when creating a snapshot with accessibility requirements":
    "SNAPSHOT_ACCESSIBILITY_CONSTRAINTS is alpha and not offered: this spec refuses every driver that tells a snapshot's topology, for it compares messages with their caches",
  "pagination should detect volumes added between pages and accept tokens when the last volume from a page is deleted": "disabled in csi-test itself",
};

export interface Spec {
  readonly name: string;
  readonly status: string;
}

/** Reads ginkgo's JUnit report. Specs that a filter left out, and set-up, are not in the list. */
export function parseReport(xml: string): readonly Spec[] {
  const cases = xml.matchAll(/<testcase name="(\[It\] [^"]*)"[^>]* status="([^"]*)"/g);
  return [...cases].map(([, name = "", status = ""]) => ({ name: unescape(name.replace(/^\[It\] /, "")), status }));
}

export interface Judgement {
  readonly tally: Tally;
  /** What a reader has to know: what failed, what was skipped and why. */
  readonly lines: readonly string[];
}

export function judge(specs: readonly Spec[]): Judgement {
  const lines: string[] = [];
  const tally = { passed: 0, failed: 0, skipped: 0 };
  for (const { name, status } of specs) {
    const reason = Object.entries(JUSTIFIED).find(([ending]) => name.endsWith(ending))?.[1];
    const kind = status === "passed" ? "passed" : ["skipped", "pending"].includes(status) && reason !== undefined ? "skipped" : "failed";
    tally[kind] += 1;
    if (kind === "skipped") lines.push(`skipped: ${name} (${reason})`);
    if (kind === "failed") lines.push(`${status}: ${name}`);
  }
  return { tally, lines };
}

const ENTITIES: Readonly<Record<string, string>> = { "&lt;": "<", "&gt;": ">", "&amp;": "&", "&#34;": '"', "&#39;": "'" };
const unescape = (text: string): string => text.replaceAll(/&(lt|gt|amp|#34|#39);/g, (entity) => ENTITIES[entity] ?? entity);
