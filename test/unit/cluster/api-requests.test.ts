import { afterEach, describe, expect, test } from "@jest/globals";
import type { ApiClientOptions } from "../../../src/cluster/api/api-client.ts";
import type { ObjectsApi, WatchEvent } from "../../../src/cluster/api/objects-api.ts";
import { AGENT_POD, NODE } from "../../../src/cluster/objects/core.ts";
import { THIN_VOLUME } from "../../../src/cluster/objects/kinds.ts";
import type { ThinVolume } from "../../../src/cluster/objects/thin-volume.ts";
import { silentLogger, type Logger } from "../../../src/logger.ts";
import { eventually } from "./api-eventually.ts";
import { volume, volumeSpec } from "./api-objects.ts";
import { cut, failed, json, ScriptedServer, silence, stream, type Script } from "./api-scripted-server.ts";

let server: ScriptedServer | undefined;
afterEach(() => server?.close());

const start = async (...scripts: readonly Script[]): Promise<ScriptedServer> => (server = await ScriptedServer.start(...scripts));
async function volumes(scripts: readonly Script[], options: Partial<ApiClientOptions> & { readonly logger?: Logger } = {}): Promise<ObjectsApi<ThinVolume>> {
  return (await start(...scripts)).api(options).objects(THIN_VOLUME);
}

const forever = new AbortController().signal;
const stored = (name: string, more: object = {}) => ({
  apiVersion: "dmthin.io/v1alpha1",
  kind: "ThinVolume",
  metadata: { name, uid: `uid-${name}`, resourceVersion: "7", creationTimestamp: "2026-01-01T00:00:00Z", managedFields: [{ manager: "somebody" }] },
  spec: volumeSpec(),
  ...more,
});
const event = (type: string, object: unknown): string => `${JSON.stringify({ type, object })}\n`;
const path = "/prefix/apis/dmthin.io/v1alpha1/thinvolumes";

/** Closes each connection that it is asked over again, as a server does that was idle for too long. */
const onceAConnection: Script = (received, response, request) => {
  if (request.socket.listenerCount("seen") > 0) return cut(received, response, request);
  request.socket.on("seen", () => undefined);
  json(200, stored("a"))(received, response, request);
};

const page = (names: readonly string[], next?: string): Script =>
  json(200, { metadata: { resourceVersion: "9", ...(next === undefined ? {} : { continue: next }) }, items: names.map((name) => stored(name)) });

async function watched(script: Script, signal = forever): Promise<{ readonly told: string[]; readonly end: Promise<void> }> {
  const api = await volumes([script]);
  const told: string[] = [];
  const tell = (event: WatchEvent<ThinVolume>): void =>
    void told.push(event.type === "BOOKMARK" ? `BOOKMARK ${event.resourceVersion}` : `${event.type} ${event.object.metadata.name}`);
  const end = api.watch("5", { labelSelector: "a=b" }, tell, signal);
  end.catch(() => undefined);
  return { told, end };
}

describe("requests", () => {
  test("are told with verb, kind and code as they are answered, those too that are not", async () => {
    const seen: string[] = [];
    const observe: ApiClientOptions["observe"] = ({ verb, kind, code, seconds }) => void seen.push(`${verb} ${kind} ${code} ${seconds >= 0}`);
    const api = await volumes([json(200, stored("a")), json(409, { reason: "Conflict" }), cut], { observe });
    await api.get("a");
    await expect(api.delete("a")).rejects.toThrow();
    server?.close();
    await expect(api.list()).rejects.toThrow();
    expect(seen.slice(0, 2)).toEqual(["get ThinVolume 200 true", "delete ThinVolume 409 true"]);
    expect(new Set(seen.slice(2))).toEqual(new Set(["list ThinVolume unreachable true"]));
  });

  test("have the kind's path, the namespace and the server's own prefix", async () => {
    const scripted = await start(json(200, { metadata: { resourceVersion: "9" }, items: [] }));
    const api = scripted.api();
    await api.objects(THIN_VOLUME).list({ fieldSelector: "spec.nodeName=a b" });
    await api.objects(NODE).list();
    await api.objects(AGENT_POD, "dmthin").list({ labelSelector: "a=b,c" });
    expect(scripted.received.map(({ path }) => path)).toEqual([path, "/prefix/api/v1/nodes", "/prefix/api/v1/namespaces/dmthin/pods"]);
    expect(scripted.received[0]).toMatchObject({
      query: { fieldSelector: "spec.nodeName=a b", limit: "500" },
      headers: { "user-agent": "dmthin-test", authorization: "Bearer 0" },
    });
    expect(scripted.received[2]?.query["labelSelector"]).toBe("a=b,c");
  });

  test("to create, patch and delete have the bodies that the server wants", async () => {
    const api = await volumes([json(200, stored("a"))]);
    const preconditions = { uid: "u", resourceVersion: "3" };
    await api.create(volume("a"));
    await api.patch("a", { metadata: { finalizers: [] } }, { preconditions });
    await api.patch("a", { status: { phase: "Ready" } }, { preconditions, subresource: "status" });
    await api.delete("a", preconditions);
    expect(server?.received).toMatchObject([
      { method: "POST", path, body: { apiVersion: "dmthin.io/v1alpha1", kind: "ThinVolume", ...volume("a") } },
      {
        method: "PATCH",
        path: `${path}/a`,
        headers: { "content-type": "application/merge-patch+json" },
        body: { metadata: { finalizers: [], ...preconditions } },
      },
      { method: "PATCH", path: `${path}/a/status`, body: { metadata: preconditions, status: { phase: "Ready" } } },
      { method: "DELETE", path: `${path}/a`, body: { kind: "DeleteOptions", apiVersion: "v1", preconditions } },
    ]);
  });

  test("are answered with what the schema reads, without what nobody reads", async () => {
    const api = await volumes([json(200, stored("a"))]);
    const item = await api.get("a");
    expect(item?.metadata).toEqual({
      name: "a",
      uid: "uid-a",
      resourceVersion: "7",
      creationTimestamp: "2026-01-01T00:00:00Z",
      generation: 1,
      finalizers: [],
      labels: {},
      annotations: {},
    });
    expect(item?.status.phase).toBe("Pending");
  });

  test("end with the caller's reason", async () => {
    const api = await volumes([silence]);
    const ending = new AbortController();
    const asking = api.get("a", ending.signal);
    await eventually(() => server?.received.length === 1);
    ending.abort(new Error("enough"));
    await expect(asking).rejects.toThrow("enough");
    await expect(api.get("a", ending.signal)).rejects.toThrow("enough");
  });

  test("end when the driver does", async () => {
    const api = (await start(silence)).api();
    const asking = api.objects(THIN_VOLUME).get("a");
    await eventually(() => server?.received.length === 1);
    api.close();
    await expect(asking).rejects.toMatchObject({ facts: { code: "shutting-down" } });
  });
});

describe("what goes wrong with a request", () => {
  test.each([
    ["a conflict", failed(409, "Conflict", "the object has been modified"), { code: "api-conflict", kind: "ThinVolume", name: "a" }],
    ["another's uid", failed(422, "Invalid", "field is immutable", { causes: [{ field: "metadata.uid" }] }), { code: "api-conflict" }],
    [
      "a wrong field",
      failed(422, "Invalid", "spec.x is wrong", { causes: [{ field: "spec.x" }] }),
      { code: "api-refused", status: 422, reason: "spec.x is wrong" },
    ],
    ["a right that is missing", failed(403, "Forbidden", "no such right"), { code: "api-refused", status: 403, request: "patch ThinVolume a" }],
    [
      "a kind that is missing",
      (_: unknown, response: Parameters<Script>[1]) => void response.writeHead(404).end("404 page not found\n"),
      { code: "api-refused", status: 404 },
    ],
    ["a fault of the server", failed(500, "InternalError", "etcd is down"), { code: "api-unreachable", reason: "etcd is down" }],
    [
      "an answer that is none",
      (_: unknown, response: Parameters<Script>[1]) => void response.writeHead(200).end("<html>"),
      { code: "api-refused", status: 200 },
    ],
    ["a broken connection", cut, { code: "api-unreachable", request: "patch ThinVolume a" }],
  ] as const)("%s is told apart", async (_, script, facts) => {
    const api = await volumes([script]);
    await expect(api.patch("a", {})).rejects.toMatchObject({ facts });
  });

  test("an object that is not there is no error, and no other 404 is taken for that", async () => {
    const api = await volumes([failed(404, "NotFound", "not found", { name: "a", kind: "thinvolumes" })]);
    expect([await api.get("a"), await api.patch("a", {}), await api.delete("a")]).toEqual([undefined, undefined, undefined]);
    await expect(api.get("b")).rejects.toMatchObject({ facts: { code: "api-refused", status: 404 } });
    await expect(api.create(volume("a"))).rejects.toMatchObject({ facts: { code: "api-refused", status: 404 } });
  });

  test("a server that is too busy is asked again when it wants to be", async () => {
    const busy = failed(429, "TooManyRequests", "too many requests", {}, { "retry-after": "0" });
    const api = await volumes([busy, busy, json(200, stored("a"))]);
    expect((await api.get("a"))?.metadata.name).toBe("a");
    expect(server?.received).toHaveLength(3);
  });

  test("a server that stays too busy is given up", async () => {
    const api = await volumes([failed(429, "TooManyRequests", "too many requests", {}, { "retry-after": "0" })]);
    await expect(api.get("a")).rejects.toMatchObject({ facts: { code: "api-unreachable", reason: "too many requests" } });
    expect(server?.received).toHaveLength(6);
  });

  test("a token that is not accepted is read anew, once", async () => {
    const denied = failed(401, "Unauthorized", "Unauthorized");
    const api = await volumes([denied, json(200, stored("a")), denied]);
    expect((await api.get("a"))?.metadata.name).toBe("a");
    expect(server?.received.map(({ headers }) => headers.authorization)).toEqual(["Bearer 0", "Bearer 1"]);
    await expect(api.get("a")).rejects.toMatchObject({ facts: { code: "api-refused", status: 401 } });
    expect(server?.received).toHaveLength(4);
  });

  test("a server that is silent is unreachable after the time limit", async () => {
    const api = await volumes([silence], { timeoutMs: 20 });
    await expect(api.get("a")).rejects.toMatchObject({ facts: { code: "api-unreachable", request: "get ThinVolume a", reason: "no answer in 0.02 s" } });
    await expect(api.watch("1", {}, () => undefined, forever)).rejects.toMatchObject({ facts: { code: "api-unreachable", request: "watch ThinVolume" } });
  });

  test("nothing listens: unreachable, with the reason", async () => {
    const scripted = await start(silence);
    const api = scripted.api().objects(THIN_VOLUME);
    const access = await scripted.access();
    scripted.access = async () => ({ ...access, server: new URL("http://127.0.0.1:1/") });
    await expect(api.get("a")).rejects.toMatchObject({ facts: { code: "api-unreachable", reason: expect.stringContaining("ECONNREFUSED") } });
  });

  test("a token that cannot be had now is waited for, as a server is", async () => {
    const scripted = await start(silence);
    scripted.access = async () => {
      throw new Error("no token yet");
    };
    await expect(scripted.api().objects(THIN_VOLUME).get("a")).rejects.toMatchObject({ facts: { code: "api-unreachable", reason: "no token yet" } });
  });

  test("a kept connection that the server has closed costs no error", async () => {
    const api = await volumes([onceAConnection]);
    await api.get("a");
    await new Promise((resolve) => void setTimeout(resolve, 5)); // the connection has to be given back first
    expect((await api.get("a"))?.metadata.name).toBe("a");
    expect(server?.received).toHaveLength(3);
  });
});

describe("lists", () => {
  test("come in pages, and are of the version of the first", async () => {
    const api = await volumes([page(["a", "b"], "more"), page(["c"])]);
    const { items, resourceVersion } = await api.list({ fieldSelector: "spec.nodeName=one" });
    expect([items.map(({ metadata }) => metadata.name), resourceVersion]).toEqual([["a", "b", "c"], "9"]);
    expect(server?.received[1]?.query).toEqual({ fieldSelector: "spec.nodeName=one", limit: "500", continue: "more" });
  });

  test("whose pages have expired are asked for at once", async () => {
    const first = json(200, { metadata: { resourceVersion: "9", continue: "more" }, items: [stored("a")] });
    const whole = json(200, { metadata: { resourceVersion: "12" }, items: [stored("a"), stored("b")] });
    const api = await volumes([first, failed(410, "Expired", "too old"), whole]);
    const { items, resourceVersion } = await api.list();
    expect([items.map(({ metadata }) => metadata.name), resourceVersion]).toEqual([["a", "b"], "12"]);
    expect(server?.received[2]?.query).toEqual({});
  });

  test.each([
    ["no JSON", "<html>"],
    ["no list", { kind: "Something" }],
    ["a list without a version", { metadata: {}, items: [] }],
  ])("that are %s are refused: nothing is taken for gone", async (_, body) => {
    const api = await volumes([json(200, body)]);
    await expect(api.list()).rejects.toMatchObject({ facts: { code: "api-refused", reason: "its answer is no list" } });
  });

  test("with an object that is wrong have the others, its name, and a line in the log", async () => {
    const lines: unknown[] = [];
    const logger: Logger = { ...silentLogger, child: () => logger, error: (_, fields) => void lines.push(fields) };
    const wrong = stored("bad", { spec: { ...volumeSpec(), requiredBytes: -1 } });
    const api = await volumes([json(200, { metadata: { resourceVersion: "9" }, items: [stored("a"), wrong, stored("b")] })], { logger });
    const { items, unreadable } = await api.list();
    expect([items.map(({ metadata }) => metadata.name), unreadable]).toEqual([["a", "b"], ["bad"]]);
    expect(lines).toEqual([{ name: "bad", problems: expect.stringContaining("spec.requiredBytes") }]);
  });
});

describe("watches", () => {
  test("ask for bookmarks, from their version, for some minutes", async () => {
    const { end } = await watched(stream([]));
    await end;
    const query = server?.received[0]?.query ?? {};
    expect(query).toMatchObject({ watch: "1", resourceVersion: "5", allowWatchBookmarks: "true", labelSelector: "a=b" });
    expect(Number(query["timeoutSeconds"])).toBeGreaterThanOrEqual(240);
    expect(Number(query["timeoutSeconds"])).toBeLessThanOrEqual(300);
  });

  test("tell what comes, in whatever pieces it comes, until the server ends them", async () => {
    const text = Buffer.from(event("ADDED", stored("ä")) + event("BOOKMARK", { metadata: { resourceVersion: "8" } }) + event("DELETED", stored("b")));
    const pieces = [text.subarray(0, 40), text.subarray(40, text.indexOf(0xc3) + 1), text.subarray(text.indexOf(0xc3) + 1)];
    const { told, end } = await watched(stream(pieces));
    await end;
    expect(told).toEqual(["ADDED ä", "BOOKMARK 8", "DELETED b"]);
  });

  test("of what is wrong tell the version alone, and of its end all the same", async () => {
    const wrong = stored("bad", { spec: {} });
    const { told, end } = await watched(stream([event("MODIFIED", wrong), event("DELETED", wrong), event("ADDED", stored("a"))]));
    await end;
    expect(told).toEqual(["BOOKMARK 7", "DELETED bad", "ADDED a"]);
  });

  test.each([
    [
      "whose version is too old",
      stream([event("ADDED", stored("a")), event("ERROR", { kind: "Status", code: 410, reason: "Expired", message: "too old" })]),
      "api-expired",
    ],
    ["whose version is refused at once", failed(410, "Expired", "too old"), "api-expired"],
    ["that the server cannot go on with", stream([event("ERROR", { kind: "Status", code: 500, message: "etcd is down" })], { ends: false }), "api-unreachable"],
    ["that make no sense", stream(["<html>\n"]), "api-unreachable"],
    [
      "that break",
      (received, response, request) => (
        stream([event("ADDED", stored("a"))], { ends: false })(received, response, request),
        setTimeout(() => response.destroy(), 20)
      ),
      "api-unreachable",
    ],
    ["without the right", failed(403, "Forbidden", "no right"), "api-refused"],
  ] as readonly (readonly [string, Script, string])[])("%s end with an error", async (_, script, code) => {
    const { end } = await watched(script);
    await expect(end).rejects.toMatchObject({ facts: { code } });
  });

  test("end with the caller's signal", async () => {
    const ending = new AbortController();
    const { told, end } = await watched(stream([event("ADDED", stored("a"))], { ends: false }), ending.signal);
    await eventually(() => told.length === 1);
    ending.abort(new Error("enough"));
    await expect(end).rejects.toThrow("enough");
  });

  test("are not ended by the time limit of requests", async () => {
    const timeoutMs = 400;
    const api = await volumes([stream([event("ADDED", stored("a")), event("ADDED", stored("b"))], { pauseMs: timeoutMs * 1.5 })], { timeoutMs });
    const told: string[] = [];
    await api.watch("5", {}, (told_) => void told.push(told_.type), forever);
    expect(told).toEqual(["ADDED", "ADDED"]);
  });
});
