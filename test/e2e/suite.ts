import type { Tally } from "../harness/tally.ts";
import type { Cluster } from "../lab/cluster/cluster.ts";
import type { Case } from "./case.ts";
import { report } from "./report.ts";
import { Scene } from "./scene.ts";

/** Cases mostly wait, and not for each other. */
const AT_ONCE = 6;
const LIMIT_SECONDS = 900;
const NAMESPACE_SECONDS = 300;

/** Runs cases, several at once save those that must be alone, each in its own namespace. */
export async function runCases(cluster: Cluster, cases: readonly Case[], skipped: number): Promise<Tally> {
  const failed = new Set<string>();
  const endings: Promise<void>[] = [];
  let number = 0;
  const play = async (one: Case) => {
    number += 1;
    const namespace = `case-${number}`;
    if (!(await attempt(cluster, one, namespace, () => acted(cluster, one, namespace)))) failed.add(one.name);
    endings.push(clearedAway(cluster, one, namespace, failed));
  };
  const next = cases.filter(({ alone }) => alone !== true).values();
  const worker = async () => {
    for (const one of next) await play(one);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  await Promise.all(endings);
  for (const one of cases.filter(({ alone }) => alone === true)) {
    if (one.swept === true) await Promise.all(endings);
    await play(one);
  }
  await Promise.all(endings);
  return { passed: cases.length - failed.size, failed: failed.size, skipped, failures: [...failed] };
}

async function acted(cluster: Cluster, { name, run }: Case, namespace: string): Promise<void> {
  const start = Date.now();
  await cluster.kubectl(["create", "namespace", namespace]);
  await limited(run(new Scene(cluster, namespace)));
  process.stdout.write(`ok   ${name} (${seconds(start)})\n`);
}

/** What a case has made goes with its namespace, while others play: one that does not go is a failure too. */
async function clearedAway(cluster: Cluster, one: Case, namespace: string, failed: Set<string>): Promise<void> {
  const deletion = ["delete", "namespace", namespace, "--ignore-not-found", `--timeout=${NAMESPACE_SECONDS}s`];
  const isGone = await attempt(cluster, one, namespace, async () => void (await cluster.kubectl(deletion)));
  if (!isGone) failed.add(one.name);
}

async function attempt(cluster: Cluster, { name }: Case, namespace: string, work: () => Promise<void>): Promise<boolean> {
  const start = Date.now();
  try {
    await work();
    return true;
  } catch (error) {
    process.stdout.write(`FAIL ${name} (${seconds(start)})\n${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    await report(cluster, name, namespace);
    return false;
  }
}

const seconds = (since: number): string => `${((Date.now() - since) / 1000).toFixed(1)} s`;

async function limited(work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not done after ${LIMIT_SECONDS} s`)), LIMIT_SECONDS * 1000);
  });
  try {
    await Promise.race([work, limit]);
  } finally {
    clearTimeout(timer);
  }
}
