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

/** Which volumes are attached to which node, in memory only: what csi-sanity asks for, and nothing else needs. */
export class Attachments {
  readonly #isNode: (node: string) => boolean;
  readonly #limit: number;
  readonly #attached = new Map<string, Attachment>();

  /** `limit`: how many volumes a node takes. */
  constructor(isNode: (node: string) => boolean, limit: number | undefined) {
    this.#isNode = isNode;
    this.#limit = limit ?? Number.POSITIVE_INFINITY;
  }

  nodesOf(volumeId: string): readonly string[] {
    const attached = this.#attached.get(volumeId);
    return attached === undefined ? [] : [attached.node];
  }

  attach(volumeId: string, wanted: Attachment): void {
    const { node } = wanted;
    if (!this.#isNode(node)) throw new DmthinError({ code: "not-found", kind: "node", id: node });
    const there = this.#attached.get(volumeId);
    if (there === undefined && [...this.#attached.values()].filter((each) => each.node === node).length >= this.#limit) {
      throw new DmthinError({ code: "out-of-range", what: "another attachment", reason: `${this.#limit} volumes are attached to ${node}, which is its limit` });
    }
    if (there !== undefined && !isDeepStrictEqual(there, wanted)) {
      const difference = there.node === node ? "capability or read-only differ" : "it is attached to another node";
      throw new DmthinError({ code: "use-conflict", id: volumeId, path: `node ${there.node}`, difference });
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
