import { summarise, type Operation } from "../statistics.ts";
import type { ApiRequest } from "./audit.ts";

const CLAIM = "get persistentvolumeclaims";
const ASK = "create thinvolumes";
const ACCEPT = "patch thinvolumes";
const ANSWER = "patch thinvolumes/status";
/** What goes on whether or not a volume is made. */
const BESIDE = /leases|nodethinpools|thinpools|watch |events/;

export interface CreationPath {
  readonly operations: readonly Operation[];
  /** The sequences of requests that were seen from the first to the answer, and how often each. */
  readonly sequences: ReadonlyMap<string, number>;
}

/** Where the time of creations goes that came one after the other: each request as the API server saw it, and what lies between. */
export function creationPath(requests: readonly ApiRequest[]): CreationPath {
  const sequences = new Map<string, number>();
  const parts = new Map<string, number[]>();
  const add = (name: string, took: number): void => void parts.set(name, [...(parts.get(name) ?? []), took]);
  const relevant = requests.filter(({ what }) => !BESIDE.test(what));
  for (const asked of relevant.filter(({ what }) => what === ASK)) {
    const begun = relevant.findLast(({ what, begun: at }) => what === CLAIM && at < asked.begun);
    const accepted = relevant.find(({ what, name }) => what === ACCEPT && name === asked.name);
    const answered = relevant.find(({ what, name }) => what === ANSWER && name === asked.name);
    if (begun === undefined || accepted === undefined || answered === undefined) continue;
    const chain = relevant.filter((each) => each.begun >= begun.begun && each.begun <= answered.begun);
    const sequence = chain.map(({ what }) => what).join(", ");
    sequences.set(sequence, (sequences.get(sequence) ?? 0) + 1);
    add("1. GET the claim", begun.ended - begun.begun);
    add("controller decides where", asked.begun - begun.ended);
    add("2. POST ThinVolume", asked.ended - asked.begun);
    add("the watch tells its node", accepted.begun - asked.ended);
    add("3. PATCH the node's finalizer", accepted.ended - accepted.begun);
    add("the node makes it", answered.begun - accepted.ended);
    add("4. PATCH status: Ready", answered.ended - answered.begun);
    add("all of it, from 1 to 4", answered.ended - begun.begun);
    add(
      "the four requests together",
      [begun, asked, accepted, answered].reduce((sum, each) => sum + each.ended - each.begun, 0),
    );
  }
  return { operations: Array.from(parts, ([name, times]) => summarise(name, times)), sequences };
}
