import { DmthinError } from "../errors.ts";
import type { Page, PageRequest } from "./volumes.ts";

/** What a list is in the order of: it does not change while a thing lives. */
interface Key {
  readonly createdAt: Date;
  readonly id: string;
}

/**
 * A page of a list in the order of creation. A token names the last thing of the page before, so that what is deleted or
 * made between two pages neither hides nor repeats anything; it needs no memory, and outlives a restart. Throws "bad-page-token".
 */
export function pageOf<Item>(list: string, items: readonly Item[], keyOf: (item: Item) => Key, { maxEntries, startingToken }: PageRequest): Page<Item> {
  const after = startingToken === "" ? undefined : parseToken(list, startingToken);
  const ordered = items.toSorted((left, right) => compare(keyOf(left), keyOf(right)));
  const rest = after === undefined ? ordered : ordered.filter((item) => compare(keyOf(item), after) > 0);
  const page = maxEntries === 0 ? rest : rest.slice(0, maxEntries);
  const last = page.at(-1);
  return { items: page, nextToken: last === undefined || page.length === rest.length ? "" : tokenOf(list, keyOf(last)) };
}

function compare(left: Key, right: Key): number {
  const difference = left.createdAt.getTime() - right.createdAt.getTime();
  if (difference !== 0) return difference;
  return left.id < right.id ? -1 : Number(left.id > right.id);
}

const tokenOf = (list: string, { createdAt, id }: Key): string => Buffer.from(JSON.stringify([list, createdAt.getTime(), id])).toString("base64url");

function parseToken(list: string, token: string): Key {
  try {
    const content: unknown = JSON.parse(Buffer.from(token, "base64url").toString());
    const [of, time, id] = Array.isArray(content) ? (content as readonly unknown[]) : [];
    if (of === list && typeof time === "number" && typeof id === "string") {
      const key = { createdAt: new Date(time), id };
      if (tokenOf(list, key) === token) return key;
    }
  } catch (error) {
    throw new DmthinError({ code: "bad-page-token", token }, { cause: error });
  }
  throw new DmthinError({ code: "bad-page-token", token });
}
