import { describe, expect, test } from "@jest/globals";
import { place, type Candidate, type PlacementWanted } from "../../../../src/cluster/controller/placement.ts";
import { GiB } from "../../../../src/units.ts";

const candidate = (node: string, gib: number, obstacle?: string): Candidate => ({
  node,
  topology: node,
  obstacle,
  availableBytes: obstacle === undefined ? gib * GiB : 0,
});
const wanted = (more: Partial<PlacementWanted> = {}): PlacementWanted => ({
  pool: "fast",
  sizeBytes: GiB,
  topology: undefined,
  selectedNode: undefined,
  ...more,
});
const NODES = [candidate("a", 10), candidate("b", 50), candidate("c", 20)];
const all = ["a", "b", "c"];
const refusal = (code: string) => expect.objectContaining({ facts: expect.objectContaining({ code }) });

describe("where a blank volume is made", () => {
  test("a claim with a selected node is made at the first preferred, also where others have more room", () => {
    expect(place(wanted({ selectedNode: "a", topology: { requisite: all, preferred: ["a", "b", "c"] } }), NODES)).toBe("a");
  });

  test("a claim with a selected node is made there even when the room told seems too small: the node knows exactly, and says so", () => {
    expect(place(wanted({ selectedNode: "a", sizeBytes: 40 * GiB, topology: { requisite: all, preferred: ["a", "b", "c"] } }), NODES)).toBe("a");
  });

  test.each([
    ["its driver is not ready", "its dmthin pod is not ready"],
    ["it is cordoned", "it is cordoned"],
    ["its pool is not rw", "it is read-only"],
  ])("a claim whose selected node cannot take it (%s) is made nowhere else", (_, obstacle) => {
    const nodes = [candidate("a", 0, obstacle), ...NODES.slice(1)];
    const asked = wanted({ selectedNode: "a", topology: { requisite: all, preferred: ["a", "b", "c"] } });
    expect(() => place(asked, nodes)).toThrow(refusal("no-node"));
    expect(() => place(asked, nodes)).toThrow(`node a: ${obstacle}`);
  });

  test("a claim whose selected node does not have the pool is made nowhere else", () => {
    const asked = wanted({ selectedNode: "z", topology: { requisite: [...all, "z"], preferred: ["z", ...all] } });
    expect(() => place(asked, NODES)).toThrow("node z has no such pool");
  });

  test("without a selected node the preferred are walked in their order, past those that lack room or do not serve", () => {
    const topology = { requisite: all, preferred: ["a", "c", "b"] };
    expect(place(wanted({ topology }), NODES)).toBe("a");
    expect(place(wanted({ topology, sizeBytes: 15 * GiB }), NODES)).toBe("c");
    expect(place(wanted({ topology }), [candidate("a", 0, "it is cordoned"), ...NODES.slice(1)])).toBe("c");
  });

  test("when none seems to have the room, the first that serves is asked, which knows exactly", () => {
    expect(place(wanted({ topology: { requisite: all, preferred: ["c", "a", "b"] }, sizeBytes: 500 * GiB }), NODES)).toBe("c");
  });

  test("only what is required is walked", () => {
    expect(place(wanted({ topology: { requisite: ["a", "c"], preferred: [] } }), NODES)).toBe("c");
    expect(place(wanted({ topology: { requisite: ["a"], preferred: ["b", "a"] } }), NODES)).toBe("a");
  });

  test("without requirements it is the node with the most room, of those that serve", () => {
    expect(place(wanted(), NODES)).toBe("b");
    expect(place(wanted(), [candidate("a", 10), candidate("b", 0, "it is cordoned"), candidate("c", 20)])).toBe("c");
    expect(place(wanted(), [candidate("b", 10), candidate("a", 10)])).toBe("a");
  });

  test("where no node would do, each is told with its reason", () => {
    const nodes = [candidate("a", 0, "it is cordoned"), candidate("b", 0, "no dmthin pod runs there")];
    expect(() => place(wanted(), nodes)).toThrow("node a: it is cordoned; node b: no dmthin pod runs there");
    expect(() => place(wanted(), [])).toThrow("no node has it");
    expect(() => place(wanted({ topology: { requisite: ["x"], preferred: ["x"] } }), NODES)).toThrow("none of x has it");
  });

  test("nodes whose names are too long for a label are found by what topologies call them", () => {
    const long = { ...candidate("node-with-a-long-name", 10), topology: "hash" };
    expect(place(wanted({ topology: { requisite: ["hash"], preferred: ["hash"] } }), [long, ...NODES])).toBe("node-with-a-long-name");
    expect(
      place(wanted({ selectedNode: "node-with-a-long-name", topology: { requisite: ["hash", ...all], preferred: ["hash", ...all] } }), [...NODES, long]),
    ).toBe("node-with-a-long-name");
  });
});
