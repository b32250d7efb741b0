import { DmthinError, isError } from "../../errors.ts";
import type { Logger } from "../../logger.ts";
import type { Kind } from "../objects/kinds.ts";
import { isObjectName, metadata, type ApiObject } from "../objects/meta.ts";
import { errorOfAnswer, isMissing, requestOf, type Answer, type Subject } from "./answer.ts";
import type { ApiClient, ApiRequest } from "./api-client.ts";
import { unreachable } from "./http.ts";
import type { ApiServer, Listing, MergePatch, ObjectsApi, PatchOptions, Preconditions, Selection, WatchEvent } from "./objects-api.ts";

const MERGE_PATCH = "application/merge-patch+json";
/** Objects an answer: a list of thousands does not hold up a small server, or us. */
const PAGE = 500;
/** A status changes often: a patch that meets other changes is tried so many times. */
const TRIES = 5;
/** Between four and five minutes, so that an installation's watches do not all end in one moment. */
const watchSeconds = (): number => 240 + Math.floor(Math.random() * 60);

type Json = Readonly<Record<string, unknown>>;
const isJson = (value: unknown): value is Json => typeof value === "object" && value !== null && !Array.isArray(value);

/** A real API server. */
export class KubernetesApiServer implements ApiServer {
  readonly #client: ApiClient;
  readonly #logger: Logger;

  constructor(client: ApiClient, logger: Logger) {
    this.#client = client;
    this.#logger = logger;
  }

  objects<Item extends ApiObject>(kind: Kind<Item>, namespace?: string): ObjectsApi<Item> {
    return new KubernetesObjects(this.#client, kind, namespace, this.#logger);
  }

  /** Ends what is under way. */
  close(): void {
    this.#client.close();
  }
}

/** Names come from calls too: what can be no object's is not asked for, since "", "." and "a/b" are other resources in a path, such as all objects of the kind. */
class KubernetesObjects<Item extends ApiObject> implements ObjectsApi<Item> {
  readonly #client: ApiClient;
  readonly #kind: Kind<Item>;
  readonly #path: string;
  readonly #logger: Logger;

  constructor(client: ApiClient, kind: Kind<Item>, namespace: string | undefined, logger: Logger) {
    this.#client = client;
    this.#kind = kind;
    const group = kind.apiVersion.includes("/") ? `/apis/${kind.apiVersion}` : `/api/${kind.apiVersion}`;
    this.#path = `${group}${namespace === undefined ? "" : `/namespaces/${encodeURIComponent(namespace)}`}/${kind.plural}`;
    this.#logger = logger.child({ kind: kind.kind });
  }

  async list(selection: Selection = {}, signal?: AbortSignal): Promise<Listing<Item>> {
    const items: Item[] = [];
    const unreadable: string[] = [];
    let page: Json = { limit: PAGE };
    for (;;) {
      const answer = await this.#ask({ method: "GET", path: this.#query({ ...selection, ...page }), subject: this.#subject("list") }, signal);
      if (answer.status === 410 && page["continue"] !== undefined) {
        // Its first pages are of a version that is gone: all at once, then.
        items.length = unreadable.length = 0;
        page = {};
        continue;
      }
      const { raws, resourceVersion, next } = this.#page(answer);
      for (const raw of raws) {
        const item = this.#readable(raw);
        if (item !== undefined) items.push(item);
        else unreadable.push(nameIn(raw));
      }
      if (next === undefined) return { items, unreadable, resourceVersion };
      page = { limit: PAGE, continue: next };
    }
  }

  async watch(from: string, selection: Selection, onEvent: (event: WatchEvent<Item>) => void, signal: AbortSignal): Promise<void> {
    const query = { watch: 1, resourceVersion: from, allowWatchBookmarks: true, timeoutSeconds: watchSeconds(), ...selection };
    const subject = this.#subject("watch");
    const ending = new AbortController();
    const onLine = (line: string): void => {
      try {
        if (!ending.signal.aborted) this.#tell(line, onEvent);
      } catch (error) {
        ending.abort(error instanceof DmthinError ? error : unreachable(requestOf(subject), error));
      }
    };
    const answer = await this.#client.follow({ method: "GET", path: this.#query(query), subject }, onLine, AbortSignal.any([signal, ending.signal]));
    ending.signal.throwIfAborted();
    if (answer !== undefined) throw errorOfAnswer(answer, subject);
  }

  async get(name: string, signal?: AbortSignal): Promise<Item | undefined> {
    if (!isObjectName(name)) return undefined;
    const answer = await this.#ask({ method: "GET", path: this.#named(name), subject: this.#subject("get", name) }, signal);
    return isMissing(answer, name) ? undefined : this.#read(answer, "get", name);
  }

  async create(object: Parameters<ObjectsApi<Item>["create"]>[0], signal?: AbortSignal): Promise<Item> {
    const { name } = object.metadata;
    const body = { apiVersion: this.#kind.apiVersion, kind: this.#kind.kind, ...object };
    return this.#read(await this.#ask({ method: "POST", path: this.#path, body, subject: this.#subject("create", name) }, signal), "create", name);
  }

  async patch(name: string, patch: MergePatch, { subresource, preconditions = {} }: PatchOptions = {}, signal?: AbortSignal): Promise<Item | undefined> {
    if (!isObjectName(name)) return undefined;
    const { uid, resourceVersion } = preconditions;
    if (subresource === undefined || uid === undefined || resourceVersion !== undefined) return this.#patch(name, patch, subresource, preconditions, signal);
    // Of a status patch the server looks at the version alone, not at the uid: so it gets the version of the object of that uid.
    for (let tries = 1; ; tries++) {
      const item = await this.get(name, signal);
      if (item === undefined) return undefined;
      if (item.metadata.uid !== uid) throw new DmthinError({ code: "api-conflict", kind: this.#kind.kind, name });
      try {
        return await this.#patch(name, patch, subresource, { uid, resourceVersion: item.metadata.resourceVersion }, signal);
      } catch (error) {
        if (!isError(error, "api-conflict") || tries === TRIES) throw error;
      }
    }
  }

  async delete(name: string, preconditions: Partial<Preconditions> = {}, signal?: AbortSignal): Promise<void> {
    if (!isObjectName(name)) return;
    const body = { apiVersion: "v1", kind: "DeleteOptions", preconditions };
    const answer = await this.#ask({ method: "DELETE", path: this.#named(name), body, subject: this.#subject("delete", name) }, signal);
    if (!isMissing(answer, name)) this.#succeeded(answer, "delete", name);
  }

  async #patch(
    name: string,
    patch: MergePatch,
    subresource: PatchOptions["subresource"],
    preconditions: Partial<Preconditions>,
    signal: AbortSignal | undefined,
  ): Promise<Item | undefined> {
    const verb = subresource === undefined ? "patch" : `patch the ${subresource} of`;
    const changed = isJson(patch["metadata"]) ? patch["metadata"] : {};
    const body = { ...patch, metadata: { ...changed, ...preconditions } };
    const path = `${this.#named(name)}${subresource === undefined ? "" : `/${subresource}`}`;
    const answer = await this.#ask({ method: "PATCH", path, body, contentType: MERGE_PATCH, subject: this.#subject(verb, name) }, signal);
    return isMissing(answer, name) ? undefined : this.#read(answer, verb, name);
  }

  #tell(line: string, onEvent: (event: WatchEvent<Item>) => void): void {
    const { type, object } = JSON.parse(line) as { readonly type: unknown; readonly object: unknown };
    if (type === "ERROR") throw errorOfAnswer({ status: codeIn(object), body: object, retryAfterSeconds: undefined }, this.#subject("watch"));
    const head = metadata
      .pick({ name: true, resourceVersion: true })
      .partial({ name: true })
      .safeParse(isJson(object) ? object["metadata"] : undefined);
    if (!head.success) return this.#logger.warn("an event of a watch is not understood", { type });
    const { resourceVersion } = head.data;
    if (type === "DELETED") {
      const gone = metadata.safeParse(isJson(object) ? object["metadata"] : undefined);
      if (gone.success) return onEvent({ type, object: { metadata: gone.data } });
    }
    const item = type === "ADDED" || type === "MODIFIED" ? this.#readable(object) : undefined;
    if (item !== undefined && (type === "ADDED" || type === "MODIFIED")) return onEvent({ type, object: item });
    onEvent({ type: "BOOKMARK", resourceVersion });
  }

  async #ask(request: ApiRequest, signal: AbortSignal | undefined): Promise<Answer> {
    return this.#client.ask(request, signal);
  }

  #page(answer: Answer): { readonly raws: readonly unknown[]; readonly resourceVersion: string; readonly next: string | undefined } {
    const { body, status } = this.#succeeded(answer, "list");
    const head = isJson(body) && isJson(body["metadata"]) ? body["metadata"] : {};
    const raws: unknown = isJson(body) ? (body["items"] ?? []) : undefined;
    const { resourceVersion, continue: next } = head;
    if (!Array.isArray(raws) || typeof resourceVersion !== "string") {
      throw new DmthinError({ code: "api-refused", request: requestOf(this.#subject("list")), status, reason: "its answer is no list" });
    }
    return { raws, resourceVersion, next: typeof next === "string" && next !== "" ? next : undefined };
  }

  #succeeded(answer: Answer, verb: string, name?: string): Answer {
    if (answer.status < 200 || answer.status > 299) throw errorOfAnswer(answer, this.#subject(verb, name));
    return answer;
  }

  #read(answer: Answer, verb: string, name: string): Item {
    const { body } = this.#succeeded(answer, verb, name);
    const parsed = this.#kind.schema.safeParse(lean(body));
    if (parsed.success) return parsed.data;
    const reason = `its answer is not what this version of dmthin reads: ${problems(parsed.error)}`;
    throw new DmthinError({ code: "api-refused", request: requestOf(this.#subject(verb, name)), status: answer.status, reason });
  }

  /** undefined, and a line in the log, when it is not: one object that is wrong must not hide the others. */
  #readable(raw: unknown): Item | undefined {
    const parsed = this.#kind.schema.safeParse(lean(raw));
    if (parsed.success) return parsed.data;
    this.#logger.error("an object is not what this version of dmthin reads: it is left alone", { name: nameIn(raw), problems: problems(parsed.error) });
    return undefined;
  }

  #named(name: string): string {
    return `${this.#path}/${encodeURIComponent(name)}`;
  }

  #query(parameters: Readonly<Record<string, unknown>>): string {
    const query = new URLSearchParams(Object.entries(parameters).map(([key, value]) => [key, String(value)]));
    return `${this.#path}?${query.toString()}`;
  }

  #subject(verb: string, name?: string): Subject {
    return { verb, kind: this.#kind.kind, ...(name === undefined ? {} : { name }) };
  }
}

/** Without who wrote what: often the larger part of an object. */
function lean(raw: unknown): unknown {
  if (!isJson(raw) || !isJson(raw["metadata"])) return raw;
  const { managedFields: _managedFields, ...rest } = raw["metadata"];
  return { ...raw, metadata: rest };
}

const nameIn = (raw: unknown): string => (isJson(raw) && isJson(raw["metadata"]) ? String(raw["metadata"]["name"]) : "");
const codeIn = (status: unknown): number => (isJson(status) && typeof status["code"] === "number" ? status["code"] : 500);
const problems = (error: { readonly issues: readonly { readonly path: readonly PropertyKey[]; readonly message: string }[] }): string =>
  error.issues.map(({ path, message }) => `${path.map(String).join(".")}: ${message}`).join("; ");
