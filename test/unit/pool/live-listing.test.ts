import { expect, test } from "@jest/globals";
import type { ThinListing, ThinTools } from "../../../src/devicemapper/thin-tools.ts";
import { LiveListing } from "../../../src/pool/live-listing.ts";
import type { ThinPoolDevice } from "../../../src/pool/thin-pool-device.ts";
import { chunks } from "../../../src/units.ts";
import { recordingLogger } from "../csi/served.ts";

/** A pool whose metadata snapshot is one at a time, and programs that end when they are told to. */
class Stage {
  held = false;
  /** What a release is answered instead. */
  refusal: Error | undefined;
  readonly recorded = recordingLogger();
  readonly log: string[] = [];
  readonly #programs: { readonly exclusive: boolean; readonly end: (error?: Error) => void }[] = [];
  readonly listing: LiveListing;

  constructor() {
    const device: Pick<ThinPoolDevice, "hasMetadataSnapshot" | "reserveMetadataSnapshot" | "releaseMetadataSnapshot"> = {
      hasMetadataSnapshot: () => this.held,
      reserveMetadataSnapshot: () => this.#hold(true),
      releaseMetadataSnapshot: () => this.#hold(false),
    };
    const tools: ThinTools = { check: async () => undefined, list: async (_, { exclusive = false }, signal) => this.#list(exclusive, signal) };
    this.listing = new LiveListing(device as ThinPoolDevice, tools, "/dev/metadata", this.recorded.logger);
  }

  async end(exclusive: boolean, error?: Error): Promise<void> {
    const program = this.#programs.findIndex((each) => each.exclusive === exclusive);
    this.#programs.splice(program, 1)[0]?.end(error);
    await settled();
  }

  get running(): readonly string[] {
    return this.#programs.map(({ exclusive }) => (exclusive ? "exclusive" : "plain"));
  }

  #hold(now: boolean): void {
    if (!now && this.refusal !== undefined) throw this.refusal;
    if (this.held === now) throw new Error(now ? "EBUSY" : "EINVAL");
    this.held = now;
    this.log.push(now ? "reserve" : "release");
  }

  #list(exclusive: boolean, signal: AbortSignal | undefined): Promise<readonly ThinListing[]> {
    this.log.push(exclusive ? "exclusive" : "plain");
    const { promise, resolve, reject } = Promise.withResolvers<readonly ThinListing[]>();
    const program = { exclusive, end: (error?: Error) => (error === undefined ? resolve([row]) : reject(error)) };
    this.#programs.push(program);
    signal?.addEventListener("abort", () => {
      this.#programs.splice(this.#programs.indexOf(program), 1);
      reject(new Error("aborted"));
    });
    if (signal?.aborted === true) reject(new Error("aborted"));
    return promise;
  }
}

const row: ThinListing = { number: 1, mappedChunks: chunks(0), exclusiveChunks: undefined, transactionId: 1 };
const settled = async (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test("one snapshot and one program serve all who come while another is there, each after he has asked", async () => {
  const { listing, log, ...stage } = expose(new Stage());
  const first = listing.list();
  const others = [listing.list(), listing.list(), listing.list({ exclusive: true })];
  expect(log).toEqual(["reserve", "plain"]);
  await stage.end(false);
  expect(await first).toEqual([row]);
  expect(log).toEqual(["reserve", "plain", "release", "reserve", "plain", "exclusive"]);
  await stage.end(false);
  await stage.end(true);
  expect(await Promise.all(others)).toEqual([[row], [row], [row]]);
  expect(log.slice(6)).toEqual(["release"]);
});

test("who needs only what is quick does not wait for what takes long on the same snapshot", async () => {
  const { listing, log, ...stage } = expose(new Stage());
  const first = listing.list();
  const long = listing.list({ exclusive: true });
  const quick = listing.list();
  await stage.end(false);
  await first;
  await stage.end(false);
  expect(await quick).toEqual([row]);
  expect(stage.running()).toEqual(["exclusive"]);
  await stage.end(true);
  await long;
  expect(log.at(-1)).toBe("release");
});

test("a listing that takes long gives way to an urgent one, and begins anew beside it, told of its new moment", async () => {
  const { listing, log, ...stage } = expose(new Stage());
  let moments = 0;
  const long = listing.list({ exclusive: true, onMoment: () => void moments++ });
  const urgent = listing.list({ urgent: true });
  await settled();
  expect(log).toEqual(["reserve", "exclusive", "release", "reserve", "plain", "exclusive"]);
  await stage.end(false);
  expect(await urgent).toEqual([row]);
  await stage.end(true);
  expect(await long).toEqual([row]);
  expect(moments).toBe(2);
});

test("an urgent one does not displace another", async () => {
  const { listing, log, ...stage } = expose(new Stage());
  const first = listing.list({ urgent: true });
  const second = listing.list({ urgent: true });
  await settled();
  expect(log).toEqual(["reserve", "plain"]);
  await stage.end(false);
  await stage.end(false);
  expect(await Promise.all([first, second])).toEqual([[row], [row]]);
});

test("a program ends when nobody waits for it any more, and not before; its failure is told, and the snapshot goes", async () => {
  const { listing, ...stage } = expose(new Stage());
  const [one, other] = [new AbortController(), new AbortController()];
  const holding = listing.list();
  const both = [listing.list({ signal: one.signal }), listing.list({ signal: other.signal })];
  const failures = Promise.all(
    both.map(async (each) =>
      each.then(
        () => "listed",
        (error: Error) => error.message,
      ),
    ),
  );
  await stage.end(false);
  await holding;
  one.abort();
  await settled();
  expect(stage.running()).toEqual(["plain"]);
  other.abort();
  expect(await failures).toEqual(["aborted", "aborted"]);
  await settled();
  expect(stage.held()).toBe(false);
});

test("a snapshot that a dead process left is released first; one that cannot be had fails those who wait", async () => {
  const raw = new Stage();
  raw.held = true;
  const { listing, log, ...stage } = expose(raw);
  const first = listing.list();
  expect(log).toEqual(["release", "reserve", "plain"]);
  const second = listing.list();
  await stage.end(false, new Error("it failed"));
  await expect(first).rejects.toThrow("it failed");
  await stage.end(false);
  expect(await second).toEqual([row]);
});

test("a snapshot that cannot be released is told; who waited has been answered, and the next listing releases it", async () => {
  const raw = new Stage();
  const { listing, log, ...stage } = expose(raw);
  const first = listing.list();
  raw.refusal = new Error("EIO");
  await stage.end(false);
  expect(await first).toEqual([row]);
  expect(raw.recorded.lines).toEqual([expect.objectContaining({ level: "warn", error: raw.refusal })]);
  raw.refusal = undefined;
  const second = listing.list();
  expect(log.slice(2)).toEqual(["release", "reserve", "plain"]);
  await stage.end(false);
  expect(await second).toEqual([row]);
});

function expose(stage: Stage) {
  return {
    listing: stage.listing,
    log: stage.log,
    end: async (exclusive: boolean, error?: Error) => stage.end(exclusive, error),
    running: () => stage.running,
    held: () => stage.held,
  };
}
