import { readFile } from "node:fs/promises";
import { request } from "node:http";
import { once } from "node:events";
import type { Disk } from "../disk.ts";
import { deviceNames } from "../disk.ts";
import type { Guest } from "../guest.ts";
import { startGuest } from "../start.ts";
import { AGENT_PORT, CONTROL_PLANE, nodeAddress, nodeMac, nodeName, podRange, tapName } from "./addresses.ts";
import type { AgentAnswer, AgentRequest } from "./agent.ts";
import type { Certificates } from "./certificates.ts";
import { kubeconfig } from "./kubeconfig.ts";
import { program, type ClusterTools } from "./tools.ts";

export interface NodeOptions {
  readonly tools: ClusterTools;
  readonly certificates: Certificates;
  /** The first is the system's own; the others are the pools', /dev/ubdc and so on. They outlive boots. */
  readonly disks: readonly Disk[];
  readonly memory: string;
}

/** A node of the lab's cluster: a guest with containerd and a kubelet. */
export class ClusterNode implements AsyncDisposable {
  /** From 1. */
  readonly index: number;
  readonly name: string;
  readonly address: string;
  readonly #options: NodeOptions;
  #guest: Guest | undefined;

  /** Its tap must be there: see `connectNode`. */
  constructor(index: number, options: NodeOptions) {
    this.index = index;
    this.name = nodeName(index);
    this.address = nodeAddress(index);
    this.#options = options;
  }

  /** The pools' disks, as the node names them. */
  get disks(): readonly string[] {
    return deviceNames(this.#options.disks)
      .slice(1)
      .map((name) => `/dev/${name}`);
  }

  /** Boots it, with what its disks hold. Returns when its kubelet has been started; it is Ready some seconds later. */
  async start(): Promise<void> {
    const { tools, disks, memory } = this.#options;
    this.#guest = await startGuest({
      command: ["sh", "test/lab/guest/cluster-node.sh"],
      environment: {
        NODE_MAC: nodeMac(this.index),
        NODE_ADDRESS: this.address,
        NODE_PODS: podRange(this.index),
        NODE_GATEWAY: CONTROL_PLANE,
        NODE_DISK: `/dev/${deviceNames(disks)[0]}`,
        NODE_DEBIAN: tools.debian,
      },
      disks,
      memory,
      udev: true,
      tap: tapName(this.index),
    });
    await this.#guest.said("agent listens");
    await this.run(["hostname", this.name]);
    await this.#configureKubelet();
    await this.startKubelet();
  }

  /** Runs a program on the node. @throws Error when it does not end with 0 */
  async run(argv: readonly string[], input?: string): Promise<string> {
    const { code, stdout, stderr } = await this.ask({ argv, ...(input === undefined ? {} : { input }) });
    if (code !== 0) throw new Error(`${this.name}: ${argv.join(" ")}: exit code ${code}\n${stderr || stdout}`);
    return stdout;
  }

  /** Runs a program on the node, however it ends. */
  async ask(wanted: AgentRequest): Promise<AgentAnswer> {
    const outgoing = request({ host: this.address, port: AGENT_PORT, method: "POST", agent: false });
    outgoing.end(JSON.stringify(wanted));
    const [response] = (await once(outgoing, "response")) as [NodeJS.ReadableStream];
    let text = "";
    for await (const chunk of response.setEncoding("utf8")) text += chunk as string;
    return JSON.parse(text) as AgentAnswer;
  }

  /** A file that only root reads. */
  async write(file: string, text: string): Promise<void> {
    await this.run(["sh", "-c", `umask 077 && cat > ${file}`], text);
  }

  async startKubelet(): Promise<void> {
    const kubelet = `${program(this.#options.tools, "kubelet")} --config=/run/kubernetes/kubelet.yaml --kubeconfig=/run/kubernetes/kubeconfig --hostname-override=${this.name} --node-ip=${this.address}`;
    await this.run(["sh", "-c", `setsid --fork ${kubelet} >> /var/log/kubelet.log 2>&1`]);
  }

  async stopKubelet(): Promise<void> {
    await this.run(["sh", "-c", "pkill -x kubelet; while pgrep -x kubelet > /run/lab/kubelet; do sleep 0.1; done"]);
  }

  /** A power cut: everything that was not on its disks is gone. */
  async cutPower(): Promise<void> {
    await this.#guest?.kill();
    this.#guest = undefined;
  }

  /** What the guest said, and its kernel's last messages. */
  get log(): string {
    return this.#guest === undefined ? "" : `${this.#guest.output}\n${this.#guest.kernelLog}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.cutPower();
  }

  async #configureKubelet(): Promise<void> {
    const { certificates } = this.#options;
    await certificates.issue(this.name, { user: `system:node:${this.name}`, group: "system:nodes", addresses: [`IP:${this.address}`, `DNS:${this.name}`] });
    await this.write("/run/kubernetes/ca.crt", await readFile(certificates.certificate("ca"), "utf8"));
    await this.write("/run/kubernetes/node.crt", await readFile(certificates.certificate(this.name), "utf8"));
    await this.write("/run/kubernetes/node.key", await readFile(certificates.key(this.name), "utf8"));
    await this.write("/run/kubernetes/kubeconfig", await kubeconfig(certificates, this.name));
    await this.write("/run/kubernetes/kubelet.yaml", JSON.stringify(KUBELET));
  }
}

const KUBELET = {
  apiVersion: "kubelet.config.k8s.io/v1beta1",
  kind: "KubeletConfiguration",
  authentication: { anonymous: { enabled: false }, webhook: { enabled: true }, x509: { clientCAFile: "/run/kubernetes/ca.crt" } },
  authorization: { mode: "Webhook" },
  tlsCertFile: "/run/kubernetes/node.crt",
  tlsPrivateKeyFile: "/run/kubernetes/node.key",
  cgroupDriver: "cgroupfs",
  containerRuntimeEndpoint: "unix:///run/containerd/containerd.sock",
  resolvConf: "",
  clusterDNS: ["10.96.0.10"], // nobody serves names there
  failSwapOn: false,
  enforceNodeAllocatable: [], // the guest's kernel has no cpusets
  evictionHard: { "memory.available": "50Mi" },
  imageGCHighThresholdPercent: 100, // the images cannot be pulled again
  volumeStatsAggPeriod: "10s",
  syncFrequency: "10s", // that is how often it looks whether a volume in use has become larger; by default a minute
  crashLoopBackOff: { maxContainerRestartPeriod: "2s" }, // tests kill the same pod again and again
};
