import { beforeEach, describe, expect, test } from "@jest/globals";
import { Known } from "../../../src/cluster/api/known.ts";
import { isNewer } from "../../../src/cluster/api/versions.ts";
import type { ApiObject } from "../../../src/cluster/objects/meta.ts";

const item = (name: string, version: number, uid = name): ApiObject => ({
  metadata: { name, uid, resourceVersion: String(version), generation: 1, creationTimestamp: "", finalizers: [], labels: {}, annotations: {} },
});

let told: string[];
let known: Known<ApiObject>;
beforeEach(() => {
  told = [];
  known = new Known((name, now) => void told.push(`${name} ${now === undefined ? "gone" : now.metadata.resourceVersion}`));
});
const versions = (): Readonly<Record<string, string>> => Object.fromEntries([...known.items].map(([name, { metadata }]) => [name, metadata.resourceVersion]));
const list = (resourceVersion: number, ...items: readonly ApiObject[]): void => known.replace({ items, resourceVersion: String(resourceVersion) });

test.each([
  ["9", "10", false],
  ["10", "9", true],
  ["10", "10", false],
  ["1", undefined, true],
  ["18446744073709551615", "9007199254740993", true],
])("version %s is newer than %s: %s", (version, than, answer) => {
  expect(isNewer(version, than)).toBe(answer);
});

describe("what is known", () => {
  test("is what the list says, and what is gone from it is told", () => {
    list(5, item("a", 1), item("b", 2));
    list(9, item("b", 8));
    expect(versions()).toEqual({ b: "8" });
    expect(told).toEqual(["a 1", "b 2", "a gone", "b 8"]);
  });

  test("of an answer that is newer than a list outlives the list", () => {
    list(5);
    known.note(item("a", 8));
    list(7);
    expect(versions()).toEqual({ a: "8" });
    list(8);
    expect(versions()).toEqual({});
  });

  test("of an answer is not taken back for an older event", () => {
    list(5, item("a", 1));
    known.note(item("a", 8));
    known.apply({ type: "MODIFIED", object: item("a", 7) });
    expect(told).toEqual(["a 1", "a 8"]);
  });

  test("of another object of the name outlives the end of the one before it", () => {
    list(5, item("a", 1, "first"));
    known.note(item("a", 8, "second"));
    known.apply({ type: "DELETED", object: item("a", 7, "first") });
    expect(versions()).toEqual({ a: "8" });
    expect(told).toEqual(["a 1", "a gone", "a 8"]);
  });

  test("ends with the end of its object, whatever versions say", () => {
    list(5);
    known.note(item("a", 8));
    known.apply({ type: "DELETED", object: item("a", 7) });
    expect(versions()).toEqual({});
  });

  test("ends with an end that is newer, though the uid is another's that was never seen", () => {
    list(5, item("a", 1, "first"));
    known.apply({ type: "DELETED", object: item("a", 9, "second") });
    expect(versions()).toEqual({});
  });

  test("does not come back by an answer from before its end", () => {
    list(5, item("a", 1));
    known.apply({ type: "DELETED", object: item("a", 9) });
    known.note(item("a", 8));
    expect(versions()).toEqual({});
    expect(told).toEqual(["a 1", "a gone"]);
  });

  test("a bookmark moves the version on, and never back", () => {
    expect(known.version).toBe("0");
    list(5);
    known.apply({ type: "BOOKMARK", resourceVersion: "9" });
    known.apply({ type: "BOOKMARK", resourceVersion: "7" });
    expect(known.version).toBe("9");
  });

  test("the end of what was never known is not told", () => {
    list(5);
    known.apply({ type: "DELETED", object: item("a", 9) });
    expect([told, known.version]).toEqual([[], "9"]);
  });

  test("of a restored etcd is what its list says, older though it is", () => {
    list(90, item("a", 80), item("b", 81));
    list(50, item("a", 40));
    expect([versions(), known.version]).toEqual([{ a: "40" }, "50"]);
    expect(told).toEqual(["a 80", "b 81", "b gone", "a 40"]);
  });
});
