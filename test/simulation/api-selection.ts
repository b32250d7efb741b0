import type { Selection } from "../../src/cluster/api/objects-api.ts";
import type { StoredObject } from "./api-store.ts";

/** Judges as the API server does: `=`, `==`, `!=`, and for labels `key` and `!key`. Throws for what it does not know. */
export function selects({ fieldSelector = "", labelSelector = "" }: Selection, object: StoredObject): boolean {
  return requirements(fieldSelector).every((text) => fieldHolds(text, object)) && requirements(labelSelector).every((text) => labelHolds(text, object));
}

const requirements = (selector: string): readonly string[] => selector.split(",").filter((text) => text !== "");

function fieldHolds(text: string, object: StoredObject): boolean {
  const { key, isEqual, value } = comparison(text);
  const found = key.split(".").reduce<unknown>((inner, part) => (inner as Readonly<Record<string, unknown>> | undefined)?.[part], object);
  return (found === value) === isEqual;
}

function labelHolds(text: string, { metadata: { labels = {} } }: StoredObject): boolean {
  if (/^!?[\w./-]+$/.test(text)) return text.startsWith("!") ? !(text.slice(1) in labels) : text in labels;
  const { key, isEqual, value } = comparison(text);
  return (labels[key] === value) === isEqual;
}

function comparison(text: string): { readonly key: string; readonly isEqual: boolean; readonly value: string } {
  const [, key, operator, value] = /^([\w./-]+)(==|=|!=)([\w./-]*)$/.exec(text) ?? [];
  if (key === undefined || value === undefined) throw new Error(`the simulated API server does not know the selector ${text}`);
  return { key, isEqual: operator !== "!=", value };
}
