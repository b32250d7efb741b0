import type { Tally } from "../harness/tally.ts";
import type { Cluster } from "../lab/cluster/cluster.ts";
import type { Case } from "./case.ts";
import { report } from "./report.ts";
import { Scene } from "./scene.ts";

/** Cases mostly wait, and not for each other. */
const AT_ONCE = 3;
const LIMIT_SECONDS = 900;

/** Runs cases, several at once save those that must be alone, each in its own namespace. */
export async function runCases(cluster: Cluster, cases: readonly Case[], skipped: number): Promise<Tally> {
  const failed: string[] = [];
  let index = 0;
  const play = async (one: Case) => {
    index += 1;
    if (!(await passes(cluster, one, `case-${index}`))) failed.push(one.name);
  };
  const together = cases.filter(({ alone }) => alone !== true);
  const next = together.values();
  const worker = async () => {
    for (const one of next) await play(one);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  for (const one of cases.filter(({ alone }) => alone === true)) await play(one);
  for (const name of failed) process.stdout.write(`failed: ${name}\n`);
  return { passed: cases.length - failed.length, failed: failed.length, skipped };
}

async function passes(cluster: Cluster, { name, run }: Case, namespace: string): Promise<boolean> {
  const start = Date.now();
  const told = (outcome: string) => process.stdout.write(`${outcome} ${name} (${((Date.now() - start) / 1000).toFixed(1)} s)\n`);
  try {
    await cluster.kubectl(["create", "namespace", namespace]);
    await limited(run(new Scene(cluster, namespace)));
    await cluster.kubectl(["delete", "namespace", namespace, "--timeout=300s"]);
    told("ok  ");
    return true;
  } catch (error) {
    told("FAIL");
    process.stdout.write(`${error instanceof Error ? error.stack : String(error)}\n`);
    await report(cluster, name, namespace);
    await cluster
      .kubectl(["delete", "namespace", namespace, "--wait=false", "--ignore-not-found"])
      .catch((again: unknown) => process.stdout.write(`${String(again)}\n`));
    return false;
  }
}

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
