import { lstat, mkdtemp, readdir, rm, unlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, jest, test } from "@jest/globals";
import { Client, credentials, Metadata, type ServiceError } from "@grpc/grpc-js";
import { Connection } from "../../../src/csi/client.ts";
import { definitionOf } from "../../../src/csi/protocol.ts";
import { Registration } from "../../../src/csi/registration.ts";
import { GrpcServer } from "../../../src/csi/server.ts";
import { recordingLogger } from "./served.ts";
import { eventually } from "../../harness/eventually.ts";

const ENDPOINT = "/var/lib/kubelet/plugins/csi.dmthin.io/csi.sock";

let directory = "";
let socket = "";
const opened: Registration[] = [];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "dmthin-registry-"));
  socket = join(directory, "csi.dmthin.io-reg.sock");
  refused = undefined;
});
afterEach(async () => {
  for (const registration of opened.splice(0)) await registration.close();
  await rm(directory, { recursive: true });
});

async function open(options: { readonly lookMs?: number; readonly afterRefusalMs?: number } = {}) {
  const { logger, lines } = recordingLogger();
  const registration = new Registration({ directory, endpoint: ENDPOINT, logger, ...options });
  opened.push(registration);
  await registration.open();
  return { registration, lines };
}

/** As grpc-go 1.61 and newer dials a unix socket: the path is percent-encoded in :authority. */
async function getInfoAsTheKubelet(): Promise<unknown> {
  const definition = definitionOf("pluginregistration.Registration")["GetInfo"];
  if (definition === undefined) throw new Error("there is no GetInfo");
  const client = new Client(`unix:${socket}`, credentials.createInsecure(), { "grpc.default_authority": encodeURIComponent(socket) });
  const { promise, resolve, reject } = Promise.withResolvers<unknown>();
  const { path, requestSerialize, responseDeserialize } = definition;
  const answer = (error: ServiceError | null, response?: unknown): void => (error === null ? resolve(response) : reject(error));
  client.makeUnaryRequest(path, requestSerialize, responseDeserialize, {}, new Metadata(), { deadline: Date.now() + 10_000 }, answer);
  return promise.finally(() => client.close());
}

async function notify(status: { readonly pluginRegistered: boolean; readonly error?: string }): Promise<void> {
  using connection = new Connection(socket);
  await connection.service("pluginregistration.Registration").NotifyRegistrationStatus(status);
}

const inode = async (): Promise<bigint | undefined> =>
  lstat(socket, { bigint: true }).then(
    ({ ino, ctimeNs }) => ino * 2n ** 64n + ctimeNs,
    () => undefined,
  );

test("the kubelet, which dials with the path as authority, is told the driver and its socket on the host", async () => {
  await open();
  expect(await getInfoAsTheKubelet()).toEqual({ type: "CSIPlugin", name: "csi.dmthin.io", endpoint: ENDPOINT, supportedVersions: ["1.0.0"] });
});

test("what the kubelet has registered is known, until the socket goes", async () => {
  const { registration, lines } = await open();
  expect(registration.isRegistered).toBe(false);
  await notify({ pluginRegistered: true });
  expect(registration.isRegistered).toBe(true);
  expect(lines).toContainEqual(expect.objectContaining({ level: "info", message: "the kubelet has registered the driver" }));
  await registration.close();
  expect(registration.isRegistered).toBe(false);
  expect(await readdir(directory)).toEqual([]);
});

test("one that the kubelet refuses is said, and offered anew by another socket", async () => {
  const { lines } = await open({ afterRefusalMs: 1 });
  const before = await inode();
  await notify({ pluginRegistered: false, error: "the node has another topology" });
  expect(lines).toContainEqual(expect.objectContaining({ level: "error", reason: "the node has another topology" }));
  await eventually(async () => expect([undefined, before]).not.toContain(await inode()));
  expect(await getInfoAsTheKubelet()).toMatchObject({ name: "csi.dmthin.io" });
});

/** The kubelet is so quick that it refuses the next socket before its maker knows that it listens. */
function refuseAtOnce(): void {
  const spy = jest.spyOn(GrpcServer.prototype, "listen");
  const listen = spy.getMockImplementation();
  spy.mockImplementationOnce(async function (this: GrpcServer, path) {
    await listen?.call(this, path);
    refused = await inode();
    await notify({ pluginRegistered: false });
  });
}
let refused: bigint | undefined;

test("one that is refused while it opens is offered anew", async () => {
  refuseAtOnce();
  await open({ afterRefusalMs: 200 });
  await eventually(async () => expect([undefined, refused]).not.toContain(await inode()));
});

test("one that is refused while its socket is made again is offered anew", async () => {
  await open({ lookMs: 5, afterRefusalMs: 200 });
  refuseAtOnce();
  await unlink(socket);
  await eventually(async () => expect(refused).toBeDefined());
  await eventually(async () => expect([undefined, refused]).not.toContain(await inode()));
});

test("a socket that somebody removes is made again", async () => {
  const { lines } = await open({ lookMs: 5 });
  await unlink(socket);
  await eventually(async () => expect(await getInfoAsTheKubelet()).toMatchObject({ name: "csi.dmthin.io" }));
  expect(lines).toContainEqual(expect.objectContaining({ level: "warn", message: "the kubelet's registration socket is gone: it is made again" }));
});

test("what has taken the socket's place is neither used nor removed, until it is gone", async () => {
  const { registration, lines } = await open({ lookMs: 5 });
  await unlink(socket);
  await writeFile(socket, "somebody's");
  await eventually(async () => expect(lines).toContainEqual(expect.objectContaining({ message: "the driver cannot be offered to the kubelet: tried again" })));
  await registration.close();
  expect(await readdir(directory)).toEqual(["csi.dmthin.io-reg.sock"]);
});

test("a live driver's socket is left to it", async () => {
  await open();
  await expect(open()).rejects.toMatchObject({ facts: { code: "path-unusable" } });
  expect(await getInfoAsTheKubelet()).toMatchObject({ name: "csi.dmthin.io" });
});
