import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { generateKeyPairSync } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { request } from "node:https";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { run, CommandFailed } from "../lab/command.ts";
import { Daemon } from "../lab/cluster/daemon.ts";
import { clusterTools, program, type ClusterTools } from "../lab/cluster/tools.ts";

const TOKEN = "administrator";
const TRIES = 240;

/** What kubectl said: an object, a refusal. */
export interface Answer {
  readonly isDone: boolean;
  readonly text: string;
}

/** Whom a request is from, when it is not the administrator's own. */
export interface Impersonated {
  readonly user: string;
  /** As in a token: a key's one value. */
  readonly extra: Readonly<Record<string, string>>;
}

export interface WithToken {
  readonly token: string;
}

/** A Kubernetes of an API server and nothing else: it judges objects, and nobody acts on them. */
export class RealApiServer implements AsyncDisposable {
  readonly tools: ClusterTools;
  readonly #folder: string;
  readonly #port: number;
  readonly #daemons: readonly Daemon[];

  private constructor(tools: ClusterTools, folder: string, port: number, daemons: readonly Daemon[]) {
    this.tools = tools;
    this.#folder = folder;
    this.#port = port;
    this.#daemons = daemons;
  }

  /** Ready to be asked; some seconds. */
  static async start(): Promise<RealApiServer> {
    const tools = await clusterTools();
    const folder = await mkdtemp(join(tmpdir(), "dmthin-api-"));
    const [etcd, peers, port] = await freePorts(3);
    const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    await writeFile(join(folder, "accounts.key"), privateKey.export({ type: "pkcs8", format: "pem" }));
    await writeFile(join(folder, "accounts.pub"), publicKey.export({ type: "spki", format: "pem" }));
    await writeFile(join(folder, "tokens.csv"), `${TOKEN},admin,admin,"system:masters"\n`);
    const clients = `http://127.0.0.1:${etcd}`;
    const daemon = (name: string, ...args: string[]) => new Daemon(name, [program(tools, name), ...args], join(folder, `${name}.log`));
    const daemons = [
      daemon(
        "etcd",
        `--data-dir=${folder}/etcd`,
        `--listen-client-urls=${clients}`,
        `--advertise-client-urls=${clients}`,
        `--listen-peer-urls=http://127.0.0.1:${peers}`,
        "--unsafe-no-fsync",
      ),
      daemon(
        "kube-apiserver",
        `--etcd-servers=${clients}`,
        "--bind-address=127.0.0.1",
        "--advertise-address=127.0.0.1", // else it wants a route to somewhere
        `--secure-port=${port}`,
        `--cert-dir=${folder}/certificates`,
        "--service-account-issuer=https://kubernetes.default.svc",
        `--service-account-key-file=${folder}/accounts.pub`,
        `--service-account-signing-key-file=${folder}/accounts.key`,
        "--authorization-mode=RBAC",
        `--token-auth-file=${folder}/tokens.csv`,
        "--service-cluster-ip-range=10.96.0.0/16",
        "--disable-admission-plugins=ServiceAccount", // which would wait for a controller manager
        "--allow-privileged=true",
      ),
    ];
    const server = new RealApiServer(tools, folder, port ?? 0, daemons);
    for (const each of daemons) each.start();
    await server.#ready();
    return server;
  }

  async #ready(): Promise<void> {
    for (let tries = 0; tries < TRIES; tries += 1) {
      for (const daemon of this.#daemons) daemon.assertRunning();
      if ((await this.kubectl(["get", "--raw", "/readyz"])).isDone) return;
      await sleep(500);
    }
    throw new Error(`the API server is not ready: ${JSON.stringify(await this.kubectl(["get", "--raw", "/readyz?verbose"]))}`);
  }

  /** For who has a token; the administrator by default. */
  kubeconfig(token: string = TOKEN): string {
    const cluster = { server: `https://127.0.0.1:${this.#port}`, "insecure-skip-tls-verify": true };
    return JSON.stringify({
      apiVersion: "v1",
      kind: "Config",
      clusters: [{ name: "real", cluster }],
      users: [{ name: "one", user: { token } }],
      contexts: [{ name: "one", context: { cluster: "real", user: "one" } }],
      "current-context": "one",
    });
  }

  async kubectl(args: readonly string[], input = ""): Promise<Answer> {
    const reach = [`--server=https://127.0.0.1:${this.#port}`, "--insecure-skip-tls-verify", `--token=${TOKEN}`, `--cache-dir=${this.#folder}/cache`];
    try {
      return { isDone: true, text: await run([program(this.tools, "kubectl"), ...reach, ...args], { input }) };
    } catch (error) {
      if (error instanceof CommandFailed) return { isDone: false, text: error.output };
      throw error;
    }
  }

  /** Throws with kubectl's words when it is refused. */
  async must(args: readonly string[], input = ""): Promise<string> {
    const { isDone, text: said } = await this.kubectl(args, input);
    if (!isDone) throw new Error(`kubectl ${args.join(" ")}: ${said}`);
    return said;
  }

  /** One request, a merge patch, and none before it. */
  async patch(path: string, body: object, who: Impersonated | WithToken): Promise<Answer> {
    const headers = { "Content-Type": "application/merge-patch+json", ...headersOf(who) };
    const sent = request({ host: "127.0.0.1", port: this.#port, path, method: "PATCH", headers, rejectUnauthorized: false });
    sent.end(JSON.stringify(body));
    const [answer] = (await once(sent, "response")) as [IncomingMessage];
    return { isDone: answer.statusCode === 200, text: await text(answer) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const daemon of this.#daemons.toReversed()) await daemon.kill();
    await rm(this.#folder, { recursive: true, force: true });
  }
}

function headersOf(who: Impersonated | WithToken): Readonly<Record<string, string>> {
  if ("token" in who) return { Authorization: `Bearer ${who.token}` };
  const extras = Object.entries(who.extra).map(([key, value]): [string, string] => [`Impersonate-Extra-${encodeURIComponent(key)}`, value]);
  return { Authorization: `Bearer ${TOKEN}`, "Impersonate-User": who.user, ...Object.fromEntries(extras) };
}

/** All at once, so that no two are the same. */
async function freePorts(count: number): Promise<readonly number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, "127.0.0.1"));
  await Promise.all(servers.map(async (server) => once(server, "listening")));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map(async (server) => once(server.close(), "close")));
  return ports;
}
