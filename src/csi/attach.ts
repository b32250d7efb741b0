import { isDeepStrictEqual } from "node:util";
import type { Capability } from "../catalog/records.ts";
import { DmthinError } from "../errors.ts";
import type { Volumes } from "../volumes/volumes.ts";
import type { Handlers } from "./handler.ts";
import { knownVolume } from "./ids.ts";
import { parseCapability } from "./parse/capability.ts";
import { parseId } from "./parse/fields.ts";
import { Problems } from "./parse/problems.ts";
import { present } from "./parse/requests.ts";

interface Attachment {
  readonly node: string;
  readonly capability: Capability;
  readonly readOnly: boolean;
}

/** Which volumes are attached to this node, in memory only: what csi-sanity asks for, and nothing else needs. */
export class Attachments {
  readonly #node: string;
  readonly #limit: number;
  readonly #attached = new Map<string, Attachment>();

  constructor(node: string, limit: number | undefined) {
    this.#node = node;
    this.#limit = limit ?? Number.POSITIVE_INFINITY;
  }

  nodesOf(volumeId: string): readonly string[] {
    return this.#attached.has(volumeId) ? [this.#node] : [];
  }

  attach(volumeId: string, wanted: Attachment): void {
    if (wanted.node !== this.#node) throw new DmthinError({ code: "not-found", kind: "node", id: wanted.node });
    const there = this.#attached.get(volumeId);
    if (there === undefined && this.#attached.size >= this.#limit) {
      throw new DmthinError({
        code: "out-of-range",
        what: "another attachment",
        reason: `${this.#limit} volumes are attached to ${this.#node}, which is its limit`,
      });
    }
    if (there !== undefined && !isDeepStrictEqual(there, wanted)) {
      throw new DmthinError({ code: "use-conflict", id: volumeId, path: `node ${this.#node}`, difference: "capability or read-only differ" });
    }
    this.#attached.set(volumeId, wanted);
  }

  detach(volumeId: string): void {
    this.#attached.delete(volumeId);
  }
}

export function attachHandlers(
  volumes: Volumes,
  attachments: Attachments,
): Pick<Handlers<"csi.v1.Controller">, "ControllerPublishVolume" | "ControllerUnpublishVolume"> {
  return {
    ControllerPublishVolume: async (request, call) => {
      const problems = new Problems();
      const id = parseId("volume_id", request.volumeId, problems);
      const node = parseId("node_id", request.nodeId, problems);
      const capability = parseCapability("volume_capability", request.volumeCapability, problems);
      problems.throwIfAny();
      await volumes.get(knownVolume(id), call);
      attachments.attach(id, { node, capability: present(capability), readOnly: request.readonly });
      return { publishContext: {} };
    },
    ControllerUnpublishVolume: async (request) => {
      const problems = new Problems();
      attachments.detach(parseId("volume_id", request.volumeId, problems));
      problems.throwIfAny();
      return {};
    },
  };
}
