import { Writable } from "node:stream";
import { finished } from "node:stream/promises";
import { expect, test } from "@jest/globals";
import { Prefixed } from "../../harness/prefixed.ts";

test("two programs' lines come whole and named, however they are cut, and the last without its end", async () => {
  let shown = "";
  const screen = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      shown += chunk.toString();
      done();
    },
  });
  const [crash, lab] = [new Prefixed("crash", screen), new Prefixed("lab", screen)];
  const tick = Buffer.from("✓ killed\n");
  crash.write(tick.subarray(0, 2));
  lab.write("PASS guest\nPASS ca");
  crash.write(tick.subarray(2));
  lab.write("che");
  await Promise.all([finished(crash.end()), finished(lab.end())]);
  expect(shown.split("\n")).toEqual(["lab | PASS guest", "crash | ✓ killed", "lab | PASS cache", ""]);
});
