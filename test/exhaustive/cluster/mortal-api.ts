import type { ApiServer, ObjectsApi } from "../../../src/cluster/api/objects-api.ts";
import type { Kind } from "../../../src/cluster/objects/kinds.ts";
import type { ApiObject } from "../../../src/cluster/objects/meta.ts";
import { DmthinError } from "../../../src/errors.ts";

/** What happens at a request of a controller. */
export const HAPPENINGS = [
  "dies before it is made",
  "dies when it is carried out, before its answer",
  "meets an API server that does not answer it",
  "loses its answer",
  "finds that another controller has done the same meanwhile",
] as const;
export type Happening = (typeof HAPPENINGS)[number];

export class ControllerDied extends Error {
  constructor() {
    super("the controller has died");
  }
}

/** The API server as one controller sees it, whose nth request is its last, or goes wrong. Lists and watches are not counted. */
export class MortalApi implements ApiServer {
  /** All that were counted. */
  readonly requests: string[] = [];
  readonly #server: ApiServer;
  #at: number | undefined;
  #happening: Happening = "loses its answer";
  #meanwhile: () => Promise<void> = async () => undefined;
  #isDead = false;

  constructor(server: ApiServer) {
    this.#server = server;
  }

  get isDead(): boolean {
    return this.#isDead;
  }

  /** From now on: the nth request, from 0. */
  strike(at: number | undefined, happening: Happening, meanwhile: () => Promise<void>): void {
    this.requests.length = 0;
    this.#at = at;
    this.#happening = happening;
    this.#meanwhile = meanwhile;
  }

  objects<Item extends ApiObject>(kind: Kind<Item>, namespace?: string): ObjectsApi<Item> {
    const api = this.#server.objects(kind, namespace);
    const step = async <Answer>(verb: string, act: () => Promise<Answer>): Promise<Answer> => this.#step(`${verb} ${kind.kind}`, act);
    return {
      list: async (...all) => api.list(...all),
      watch: async (...all) => api.watch(...all),
      get: async (...all) => step("get", async () => api.get(...all)),
      create: async (...all) => step("create", async () => api.create(...all)),
      patch: async (...all) => step("patch", async () => api.patch(...all)),
      delete: async (...all) => step("delete", async () => api.delete(...all)),
    };
  }

  async #step<Answer>(request: string, act: () => Promise<Answer>): Promise<Answer> {
    this.#requireLife();
    this.requests.push(request);
    if (this.requests.length - 1 !== this.#at) return act();
    switch (this.#happening) {
      case "dies before it is made":
        this.#isDead = true;
        break;
      case "dies when it is carried out, before its answer":
        await act();
        this.#isDead = true;
        break;
      case "meets an API server that does not answer it":
        throw new DmthinError({ code: "api-unreachable", request, reason: "ECONNREFUSED" });
      case "loses its answer":
        await act();
        throw new DmthinError({ code: "api-unreachable", request, reason: "ECONNRESET" });
      case "finds that another controller has done the same meanwhile":
        await this.#meanwhile();
        break;
    }
    this.#requireLife();
    return act();
  }

  #requireLife(): void {
    if (this.#isDead) throw new ControllerDied();
  }
}
