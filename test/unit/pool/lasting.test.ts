import { expect, test } from "@jest/globals";
import type { LeftAtWork } from "../../../src/lvm/lvm.ts";
import type { EngineParts } from "../../../src/pool/engine-parts.ts";
import { runLasting } from "../../../src/pool/lasting.ts";
import { Mailbox } from "../../../src/pool/mailbox.ts";
import type { PoolNews } from "../../../src/pool/pool-calls.ts";
import { LiveView } from "../../../src/pool/worker/view.ts";

const AT = new Date(0);

/** What a turn needs of an engine. `left` is what its backing has at work. */
function bench(left: () => LeftAtWork | undefined) {
  const view = new LiveView();
  const parts = { backing: { leftAtWork: left } } as unknown as EngineParts;
  return { view, parts, publish: (news: PoolNews) => view.apply(news) };
}

test("who waits for LVM is answered at its deadline; the turn lasts until LVM has ended, and the pool is stuck until then", async () => {
  const { promise: ended, resolve: end } = Promise.withResolvers<void>();
  let left: LeftAtWork | undefined = { operation: "lvm lvextend", since: AT, ended };
  const gate = new Mailbox();
  const { view, ...rest } = bench(() => left);
  const late = runLasting(gate, rest, async () => {
    throw new Error("it outlived its deadline");
  });
  const done: string[] = [];
  const next = gate.run(() => void done.push(`next, stuck: ${view.stuck !== undefined}`));
  await expect(late).rejects.toThrow("it outlived its deadline");
  await new Promise((resolve) => setImmediate(resolve));
  expect([done, view.stuck]).toEqual([[], { operation: "lvm lvextend", since: AT }]);
  view.waiting = { operation: "refresh", since: new Date(1) };
  expect(view.stuck?.operation).toBe("lvm lvextend");
  view.waiting = undefined;
  left = undefined;
  end();
  await next;
  expect([done, view.stuck]).toEqual([["next, stuck: false"], undefined]);
});

test("what fails with nothing left at work frees the turn at once, and what succeeds waits for nobody's look at the disks", async () => {
  const gate = new Mailbox();
  const never = new Promise<void>(() => undefined);
  const looking = bench(() => ({ operation: "lvm pvs", since: AT, ended: never }));
  expect(await runLasting(gate, looking, async () => "done")).toBe("done");
  const idle = bench(() => undefined);
  await expect(runLasting(gate, idle, async () => Promise.reject(new Error("refused")))).rejects.toThrow("refused");
  expect(await gate.run(() => "next")).toBe("next");
});
