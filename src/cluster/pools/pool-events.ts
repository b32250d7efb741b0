import type { CareEventKind } from "../../pool/care/care-report.ts";
import { stateTrouble } from "../../pool/pool-state.ts";
import type { Pool } from "../../pool/pool.ts";
import { NODE_THIN_POOL } from "../objects/kinds.ts";
import type { ApiObject } from "../objects/meta.ts";

/** Tells people of an object, beside its status. */
export interface Recorder {
  event(object: ApiObject, type: "Normal" | "Warning", reason: string, message: string, kind: string): void;
}

type Kind = readonly [type: "Normal" | "Warning", reason: string];

/** What care has found and done, as people are told. */
const CARE: Readonly<Record<Exclude<CareEventKind, "state" | "failing">, Kind>> = {
  extended: ["Normal", "Extended"],
  "extension-failed": ["Warning", "ExtensionFailed"],
  exhausted: ["Warning", "NothingLeft"],
  replenished: ["Normal", "RoomAgain"],
  low: ["Warning", "SpaceLow"],
  enough: ["Normal", "SpaceEnough"],
  "host-low": ["Warning", "HostSpaceLow"],
  "host-enough": ["Normal", "HostSpaceEnough"],
  queueing: ["Normal", "WritesWaitWhenFull"],
};

/** Each thing once, from when this driver first saw the pool. */
export class PoolEvents {
  readonly #recorder: Recorder;
  readonly #toldUpTo = new Map<string, number>();
  readonly #status = new Map<string, string>();

  constructor(recorder: Recorder) {
    this.#recorder = recorder;
  }

  /** What has happened since it was last looked at. `object`: whom it is told of; nothing is, or is forgotten, without one. */
  look({ description: { name }, view }: Pool, object: ApiObject | undefined): void {
    if (object === undefined) return;
    this.#lookAtStatus(name, view, object);
    const since = this.#toldUpTo.get(name) ?? -Infinity;
    const fresh = (view.care?.events ?? []).filter(({ at }) => at.getTime() > since);
    for (const { kind, message } of fresh) {
      const [type, reason] = kind === "state" ? stateKind(view) : kind === "failing" ? failingKind(view) : CARE[kind];
      this.#recorder.event(object, type, reason, message, NODE_THIN_POOL.kind);
    }
    const last = fresh.at(-1);
    if (last !== undefined) this.#toldUpTo.set(name, last.at.getTime());
  }

  /** A ThinPool that is not followed; once for each sentence. */
  refused(name: string, sentence: string, object: ApiObject | undefined): void {
    if (object === undefined || this.#status.get(`${name} refused`) === sentence) return;
    this.#status.set(`${name} refused`, sentence);
    this.#recorder.event(object, "Warning", "Refused", sentence, NODE_THIN_POOL.kind);
  }

  forget(name: string): void {
    this.#status.delete(name);
    this.#status.delete(`${name} refused`);
    this.#toldUpTo.delete(name);
  }

  #lookAtStatus(name: string, { status }: Pool["view"], object: ApiObject): void {
    const before = this.#status.get(name);
    const now = status.kind === "refused" ? `refused ${status.reason}` : status.kind;
    if (before === now || status.kind === "recovering" || status.kind === "locked") return;
    this.#status.set(name, now);
    if (status.kind === "refused") this.#recorder.event(object, "Warning", "Refused", `${status.reason}; ${status.remedy}`, NODE_THIN_POOL.kind);
    else this.#recorder.event(object, "Normal", "Serving", `pool ${name} serves on this node`, NODE_THIN_POOL.kind);
  }
}

function stateKind({ figures }: Pool["view"]): Kind {
  const trouble = stateTrouble(figures?.state ?? "Error");
  return trouble === undefined ? ["Normal", "Writable"] : ["Warning", trouble.reason];
}

/** What a pool does once it is full, is no trouble before: each pool that cannot be made larger begins with it. */
const failingKind = ({ figures }: Pool["view"]): Kind => [figures?.state === "rw" ? "Normal" : "Warning", "WritesFailWhenFull"];
