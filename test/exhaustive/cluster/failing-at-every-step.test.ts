import { describe, expect, jest, test } from "@jest/globals";
import { DmthinError } from "../../../src/errors.ts";
import { refusal } from "../../simulation/errno.ts";
import { MortalNode } from "./mortal-node.ts";
import { SCENARIOS, type Scenario } from "./scenarios.ts";

jest.setTimeout(60_000);

interface Trouble {
  readonly name: string;
  readonly isOfKernel?: true;
  /** What the step at that moment is answered; undefined: nothing goes wrong there. */
  readonly answer: (moment: string) => DmthinError | undefined;
}

const isRequest = (moment: string): boolean => /^(before|after) (GET|PATCH|PATCH status)$/.test(moment);
const isKernelCall = (moment: string): boolean => moment.startsWith("before ") && !isRequest(moment) && !moment.includes(":");

const TROUBLES: readonly Trouble[] = [
  {
    name: "a request is not answered, or its answer is lost",
    answer: (moment) => (isRequest(moment) ? new DmthinError({ code: "api-unreachable", request: moment, reason: "ECONNRESET" }) : undefined),
  },
  {
    name: "a request is too late for what it was decided on",
    answer: (moment) =>
      isRequest(moment) && moment.startsWith("before PATCH") ? new DmthinError({ code: "api-conflict", kind: "any", name: "any" }) : undefined,
  },
  {
    name: "a call to the kernel is refused",
    isOfKernel: true,
    answer: (moment) => (isKernelCall(moment) ? refusal(moment.replace("before ", ""), "anything", "EIO") : undefined),
  },
];

/** As the controller: what has failed is withdrawn, and what cannot be had is not asked for any more. */
async function giveWay({ cluster }: MortalNode): Promise<void> {
  for (const api of [cluster.volumes, cluster.snapshots, cluster.groups] as const) {
    for (const { metadata, status } of (await api.list()).items) if (status.phase === "Failed") await api.delete(metadata.name);
  }
  for (const { metadata, spec, status } of (await cluster.volumes.list()).items) {
    const { failure, sizeBytes = 0 } = status;
    if (failure !== undefined && spec.requiredBytes > sizeBytes) await cluster.volumes.patch(metadata.name, { spec: { requiredBytes: sizeBytes } });
  }
}

async function isAnswered({ cluster }: MortalNode): Promise<boolean> {
  const items = [...(await cluster.volumes.list()).items, ...(await cluster.snapshots.list()).items, ...(await cluster.groups.list()).items];
  return items.every(({ metadata, status }) => metadata.deletionTimestamp === undefined && status.observedGeneration === metadata.generation);
}

const soon = async (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 1));

async function failAt({ prepare, ask }: Scenario, { answer }: Trouble, at: number | undefined): Promise<readonly string[]> {
  await using node = new MortalNode("its process is killed");
  await node.begin();
  await prepare?.(node.cluster);
  await node.settled();
  const moments = node.trouble(at, (moment) => {
    const error = answer(moment);
    if (error !== undefined) throw error;
  });
  try {
    await ask(node.cluster);
    await node.settled();
    for (let turn = 0; !(await isAnswered(node)); turn++) {
      if (turn > 2000) throw new Error("it never comes to an end");
      await soon();
    }
    await node.settled();
    node.calm();
    await giveWay(node);
    while (!(await isAnswered(node))) await soon();
    await node.settled();
    await node.expectAgreement();
  } catch (error) {
    throw new Error(`at "${moments[at ?? -1]}" (step ${at}): ${String(error)}`, { cause: error });
  }
  return moments;
}

describe.each(TROUBLES)("objects, catalogue and kernel agree when $name, at any step of", (trouble) => {
  const affected = SCENARIOS.filter(({ isWithoutKernel }) => isWithoutKernel !== true || trouble.isOfKernel !== true);
  test.each(affected)("$name", async (scenario) => {
    const moments = await failAt(scenario, trouble, undefined);
    const struck = Array.from(moments.keys()).filter((at) => trouble.answer(moments[at] ?? "") !== undefined);
    expect(struck).not.toEqual([]);
    for (const at of struck) await failAt(scenario, trouble, at);
  });
});
