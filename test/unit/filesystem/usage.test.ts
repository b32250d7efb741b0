import { expect, test } from "@jest/globals";
import { DmthinError, isError } from "../../../src/errors.ts";
import { UsageReader } from "../../../src/filesystem/usage.ts";
import type { BlockingThreads } from "../../../src/linux/blocking-threads.ts";
import type { FilesystemFigures } from "../../../src/linux/filesystem-calls.ts";
import { bytes } from "../../../src/units.ts";

const figures: FilesystemFigures = { totalBytes: bytes(1000), freeBytes: bytes(400), availableBytes: bytes(300), totalInodes: 10, freeInodes: 4 };

/** Threads whose calls come back, or run out of time, when the test says so. */
class SlowThreads {
  readonly calls: { readonly path: string; answer(): void; giveUp(): void }[] = [];

  readonly run = ((request: { readonly path: string }) => {
    const done = Promise.withResolvers<FilesystemFigures>();
    const outcome = Promise.withResolvers<{ readonly error: undefined }>();
    this.calls.push({
      path: request.path,
      answer: () => {
        done.resolve(figures);
        outcome.resolve({ error: undefined });
      },
      giveUp: () => done.reject(new DmthinError({ code: "deadline", operation: `statfs of ${request.path}` })),
    });
    return { done: done.promise, outcome: outcome.promise };
  }) as unknown as BlockingThreads["run"];
}

test("figures add up as df prints them", async () => {
  const threads = new SlowThreads();
  const usage = new UsageReader(threads).read("/a", 1000);
  threads.calls[0]?.answer();
  expect(await usage).toEqual({ totalBytes: 1000, usedBytes: 600, availableBytes: 300, totalInodes: 10, usedInodes: 6, freeInodes: 4 });
});

test("all who ask for one path at once share one thread, and other paths have their own", async () => {
  const threads = new SlowThreads();
  const reader = new UsageReader(threads);
  const asked = [reader.read("/a", 1000), reader.read("/a", 1000), reader.read("/b", 1000)];
  expect(threads.calls.map(({ path }) => path)).toEqual(["/a", "/b"]);
  for (const call of threads.calls) call.answer();
  expect(await Promise.all(asked)).toHaveLength(3);
  const again = reader.read("/a", 1000);
  expect(threads.calls).toHaveLength(3);
  threads.calls[2]?.answer();
  await again;
});

test("a path that hangs takes one thread however often it is asked for, and is answered again once it has come back", async () => {
  const threads = new SlowThreads();
  const reader = new UsageReader(threads);
  const first = reader.read("/a", 60_000);
  threads.calls[0]?.giveUp();
  await expect(first).rejects.toThrow("ran out of time");
  for (let time = 0; time < 3; time++) expect(isError(await reader.read("/a", 1).catch((error: unknown) => error), "deadline")).toBe(true);
  const patient = reader.read("/a", 60_000);
  expect(threads.calls).toHaveLength(1);
  threads.calls[0]?.answer();
  while (threads.calls.length < 2) await Promise.resolve();
  threads.calls[1]?.answer();
  expect((await patient).totalBytes).toBe(1000);
});
