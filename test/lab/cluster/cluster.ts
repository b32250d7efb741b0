import { mkdir, mkdtemp, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { cacheFolder } from "../cache.ts";
import { CommandFailed, run } from "../command.ts";
import { Disk } from "../disk.ts";
import { step } from "../progress.ts";
import { prepareLab } from "../start.ts";
import type { ApiClient } from "./api-client.ts";
import { Certificates } from "./certificates.ts";
import { ControlPlane } from "./control-plane.ts";
import { otherImages } from "./images.ts";
import { connectNode, layNetwork } from "./network.ts";
import { nodeDisk } from "./node-disk.ts";
import { ClusterNode } from "./node.ts";
import { isTrue } from "./objects.ts";
import { clusterTools, program, type ClusterTools } from "./tools.ts";
import { SNAPSHOTTER } from "./versions.ts";

const READY_SECONDS = 300;

export interface ClusterOptions {
  readonly nodes: number;
  /** Sizes of the disks that each node has for pools, such as `8G`. */
  readonly poolDisks: readonly string[];
  /** Of each node. Default 2G. */
  readonly memory?: string;
  /** Archives of images beside those that every cluster has, as they were given to `prepareCluster`. */
  readonly images?: readonly string[];
  /** An audit policy: the API server's requests are told in `control-plane/audit.log` of the folder then. */
  readonly auditPolicy?: object;
}

/** Builds what clusters are made of, where that is not there yet: a cluster's own namespaces have no network. */
export async function prepareCluster(images: readonly string[] = []): Promise<void> {
  await prepareLab();
  const tools = await clusterTools();
  await nodeDisk(tools, await otherImages(tools), images);
}

/** A real Kubernetes: its control plane in this process's namespaces, its nodes in guests. To be started by `inOwnNamespaces`. */
export class Cluster implements AsyncDisposable {
  readonly controlPlane: ControlPlane;
  /** Data and logs of the control plane; it is memory, and goes with the namespaces. */
  readonly folder: string;
  readonly nodes: readonly ClusterNode[];
  readonly #tools: ClusterTools;

  private constructor(tools: ClusterTools, controlPlane: ControlPlane, folder: string, nodes: readonly ClusterNode[]) {
    this.#tools = tools;
    this.controlPlane = controlPlane;
    this.folder = folder;
    this.nodes = nodes;
  }

  static async start({ nodes: count, poolDisks, memory = "2G", images = [], auditPolicy }: ClusterOptions): Promise<Cluster> {
    const tools = await clusterTools();
    const system = await nodeDisk(tools, await otherImages(tools), images);
    await layNetwork();
    const folder = await ownFolder();
    const certificates = await Certificates.create(folder);
    const controlPlane = await step("starting the control plane", () => ControlPlane.start(tools, certificates, join(folder, "control-plane"), auditPolicy));
    const nodes: ClusterNode[] = [];
    for (let index = 1; index <= count; index += 1) {
      await connectNode(index);
      const disks = [await Disk.copyOf(system), ...(await Promise.all(poolDisks.map((size) => Disk.create(size))))];
      nodes.push(new ClusterNode(index, { tools, certificates, disks, memory }));
    }
    const cluster = new Cluster(tools, controlPlane, folder, nodes);
    await step(`starting ${count} nodes`, async () => {
      await Promise.all(nodes.map((node) => node.start()));
      await cluster.nodesReady();
    });
    return cluster;
  }

  get api(): ApiClient {
    return this.controlPlane.api;
  }

  /** Where kubectl and helm are, for a PATH. */
  get programFolders(): readonly string[] {
    return ["kubectl", "helm"].map((name) => dirname(program(this.#tools, name)));
  }

  node(name: string): ClusterNode {
    const node = this.nodes.find((one) => one.name === name);
    if (node === undefined) throw new Error(`the cluster has no node ${name}`);
    return node;
  }

  /** Waits until all nodes, or those named, are Ready. */
  async nodesReady(names: readonly string[] = this.nodes.map(({ name }) => name)): Promise<void> {
    await this.api.until(
      "/api/v1/nodes",
      (nodes) => names.every((name) => nodes.some((node) => node.metadata.name === name && isTrue(node, "Ready"))) || undefined,
      { what: `nodes ${names.join(", ")} Ready`, seconds: READY_SECONDS },
    );
  }

  /** @throws CommandFailed */
  async kubectl(args: readonly string[], input?: string): Promise<string> {
    return run([program(this.#tools, "kubectl"), "--kubeconfig", this.controlPlane.kubeconfig, ...args], input === undefined ? {} : { input });
  }

  /** What kubectl says when it is refused. @throws Error when it is not */
  async kubectlRefusal(args: readonly string[], input?: string): Promise<string> {
    const said = await this.kubectl(args, input).catch((error: unknown) => {
      if (error instanceof CommandFailed) return { refusal: error.output };
      throw error;
    });
    if (typeof said === "string") throw new Error(`kubectl ${args.join(" ")} was not refused: ${said}`);
    return said.refusal;
  }

  /** Manifests as text, or objects. */
  async apply(manifests: string | readonly object[], namespace = "default"): Promise<void> {
    const text = typeof manifests === "string" ? manifests : manifests.map((object) => JSON.stringify(object)).join("\n---\n");
    await this.kubectl(["apply", "--server-side", "--namespace", namespace, "-f", "-"], text);
  }

  async helm(args: readonly string[], input?: string): Promise<string> {
    const home = ["XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"].map((name) => `${name}=${join(this.folder, "helm")}`);
    const helm = [program(this.#tools, "helm"), "--kubeconfig", this.controlPlane.kubeconfig, ...args];
    return run(["env", ...home, ...helm], input === undefined ? {} : { input });
  }

  /** Runs a command in a pod. @throws CommandFailed when it does not end with 0 */
  async exec(
    pod: string,
    argv: readonly string[],
    { namespace = "default", input }: { readonly namespace?: string; readonly input?: string } = {},
  ): Promise<string> {
    return this.kubectl(["exec", "--namespace", namespace, ...(input === undefined ? [] : ["--stdin"]), pod, "--", ...argv], input);
  }

  /** The snapshot API, and the controller that every cluster with snapshots has beside the drivers. */
  async installSnapshots(): Promise<void> {
    for (const file of this.#tools.snapshotManifests) {
      const text = await readFile(file, "utf8");
      const image = /(sig-storage\/snapshot-controller:)v[\d.]+/; // they name the release before their own
      await this.apply(text.replace(image, `$1v${SNAPSHOTTER}`).replace("replicas: 2", "replicas: 1"), "kube-system");
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.nodes.map((node) => node[Symbol.asyncDispose]()));
    await this.controlPlane[Symbol.asyncDispose]();
  }
}

/** On a file system in memory that only this process's mount namespace has. */
export async function ownFolder(): Promise<string> {
  const place = join(await cacheFolder(), "cluster");
  await mkdir(place, { recursive: true });
  await run(["mount", "-t", "tmpfs", "-o", "mode=700", "cluster", place]);
  return mkdtemp(join(place, "run-"));
}
