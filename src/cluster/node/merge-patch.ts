import { isDeepStrictEqual } from "node:util";
import type { MergePatch } from "../api/objects-api.ts";

/**
 * What makes `to` of `from`, after RFC 7386; undefined when they are the same. A key that is undefined is none, as in JSON;
 * one that `to` has no more is taken away, inside objects too, where merging would leave it.
 */
export function mergePatch(from: object, to: object): MergePatch | undefined {
  const [before, after] = [fieldsOf(from), fieldsOf(to)];
  const changes: Record<string, unknown> = {};
  for (const key of before.keys()) if (!after.has(key)) changes[key] = null;
  for (const [key, value] of after) {
    const change = changeOf(before.get(key), value);
    if (change !== undefined) changes[key] = change;
  }
  return Object.keys(changes).length === 0 ? undefined : changes;
}

function changeOf(from: unknown, to: unknown): unknown {
  if (isFields(from) && isFields(to)) return mergePatch(from, to);
  return isDeepStrictEqual(from, to) ? undefined : to;
}

const isFields = (value: unknown): value is object => typeof value === "object" && value !== null && !Array.isArray(value);

const fieldsOf = (value: object): ReadonlyMap<string, unknown> => new Map(Object.entries(value).filter(([, each]) => each !== undefined));
