import { setTimeout as sleep } from "node:timers/promises";
import type { Command } from "commander";
import type { AppliedPool, Held, PoolHealth } from "../cluster/installation/installation.ts";
import { isMapping } from "../config/document-paths.ts";
import { DmthinError } from "../errors.ts";
import { begin, EXIT_FAILURE, EXIT_OK, EXIT_USAGE, type End } from "./command.ts";
import type { Terminal } from "./terminal.ts";

/** What the chart's jobs do in a cluster, and people may: by a pod's service account, or a kubeconfig file. */
export interface ClusterWork {
  readonly applyPools: (pools: Readonly<Record<string, object>>) => Promise<readonly AppliedPool[]>;
  readonly held: () => Promise<readonly Held[]>;
  readonly health: () => Promise<readonly PoolHealth[]>;
}

export interface ClusterParts {
  readonly terminal: Terminal;
  readonly cluster: (kubeconfig: string | undefined) => Promise<ClusterWork>;
}

interface Options {
  readonly kubeconfig?: string;
}

const KUBECONFIG = ["--kubeconfig <file>", "how to reach the cluster from outside a pod"] as const;
const POLL_MS = 2000;
/** How many of what is left are named. */
const NAMED = 20;

export function addClusterCommands(dmthin: Command, parts: ClusterParts, end: End): void {
  const { terminal } = parts;
  const cluster = begin(dmthin.command("cluster"), terminal, ["dmthin cluster check", "dmthin cluster guard"]).description(
    "What installing and removing the driver asks of a Kubernetes cluster.",
  );
  begin(cluster.command("apply-pools"), terminal, ["dmthin cluster apply-pools pools.yaml"])
    .argument("<file>", "YAML or JSON: each ThinPool's spec, by its name")
    .description("Make ThinPools and change those that are there. Others stay as they are.")
    .option(...KUBECONFIG)
    .action(async (file: string, { kubeconfig }: Options) => end(applyPools(await parts.cluster(kubeconfig), file, terminal)));
  begin(cluster.command("guard"), terminal, ["dmthin cluster guard && helm uninstall dmthin"])
    .description("Fail while there are volumes or snapshots: without the driver they would have nobody.")
    .option(...KUBECONFIG)
    .action(async ({ kubeconfig }: Options) => end(guard(await parts.cluster(kubeconfig), terminal)));
  begin(cluster.command("check"), terminal, ["dmthin cluster check --wait 120"])
    .description("Say how the ThinPools are on their nodes. Exit code 1 when one is not well.")
    .option("--wait <seconds>", "how long to wait until all are well", "0")
    .option(...KUBECONFIG)
    .action(async ({ kubeconfig, wait }: Options & { readonly wait: string }, command: Command) => {
      if (!/^\d{1,5}$/.test(wait)) return command.error("--wait takes seconds", { exitCode: EXIT_USAGE });
      return end(check(await parts.cluster(kubeconfig), Number(wait) * 1000, terminal));
    });
}

async function applyPools(work: ClusterWork, file: string, { output }: Terminal): Promise<number> {
  const { readText, readYaml } = await import("../config/load.ts"); // with a schema and a log, for which other commands do not wait
  const applied = await work.applyPools(poolsOf(readYaml(await readText(file, "as argument"), file), file));
  for (const { name, outcome } of applied) output.write(`ThinPool ${name}: ${outcome}\n`);
  return EXIT_OK;
}

function poolsOf(document: unknown, source: string): Readonly<Record<string, object>> {
  const pools = Object.entries(isMapping(document) ? document : {});
  const problems = pools.filter(([, spec]) => !isMapping(spec)).map(([path]) => ({ path, message: "is no ThinPool's spec" }));
  if (!isMapping(document)) problems.push({ path: "", message: "names no ThinPools" });
  if (problems.length > 0) throw new DmthinError({ code: "config-invalid", source, problems });
  return Object.fromEntries(pools.flatMap(([name, spec]) => (isMapping(spec) ? [[name, spec]] : [])));
}

async function guard(work: ClusterWork, { output, error }: Terminal): Promise<number> {
  const held = await work.held();
  if (held.length === 0) {
    output.write("No volumes and no snapshots: the driver can be removed.\n");
    return EXIT_OK;
  }
  error.write(`dmthin: ${held.length} volumes and snapshots are left, which without the driver would have nobody:\n`);
  for (const each of held.slice(0, NAMED)) error.write(`  ${spell(each)}\n`);
  if (held.length > NAMED) error.write(`  and ${held.length - NAMED} more\n`);
  error.write("Delete the claims, VolumeSnapshots and VolumeGroupSnapshots that they belong to. What a node had that is gone for good\n");
  error.write("is forgotten by annotating its NodeThinPool with dmthin.io/forget. To remove the driver all the same: --no-hooks.\n");
  error.write("After a refused helm uninstall: helm rollback RELEASE REVISION -n NAMESPACE, with the last one of helm history.\n");
  return EXIT_FAILURE;
}

function spell({ kind, name, node, claim, isTerminating }: Held): string {
  const what = claim === undefined ? "" : `, of claim ${claim}`;
  return `${kind} ${name} on node ${node}${what}${isTerminating ? ", being deleted" : ""}`;
}

async function check(work: ClusterWork, waitMs: number, { output, error }: Terminal): Promise<number> {
  const until = Date.now() + waitMs;
  let health = await work.health();
  let said = "";
  while (!isWell(health) && Date.now() < until) {
    const waiting = health.filter((pool) => !pool.isWell).map((pool) => `waiting for ${spellHealth(pool)}`);
    if (waiting.join("") !== said) error.write(waiting.join(""));
    said = waiting.join("");
    await sleep(POLL_MS);
    health = await work.health();
  }
  if (health.length === 0) output.write("The driver is installed. There is no ThinPool yet, so no volume can be made.\n");
  for (const pool of health) output.write(spellHealth(pool));
  return isWell(health) ? EXIT_OK : EXIT_FAILURE;
}

const isWell = (health: readonly PoolHealth[]): boolean => health.every((pool) => pool.isWell);
const spellHealth = ({ pool, message }: PoolHealth): string => `ThinPool ${pool}: ${message}\n`;
