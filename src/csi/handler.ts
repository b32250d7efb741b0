import { randomBytes } from "node:crypto";
import { status, type sendUnaryData, type ServerUnaryCall, type ServiceDefinition, type UntypedServiceImplementation } from "@grpc/grpc-js";
import { DmthinError } from "../errors.ts";
import type { Logger } from "../logger.ts";
import type { Call } from "../volumes/volumes.ts";
import { statusOf } from "./codes.ts";
import type { InFlight } from "./in-flight.ts";
import type { RequestOf, ResponseOf } from "./method.ts";
import { definitionOf, type ServiceName, type Services } from "./protocol.ts";
import { redact } from "./redact.ts";
import { subjectOf } from "./subject.ts";

/** Validates, makes one domain call, answers. Codes, time limits, logging and shutdown are not its business. */
export type Handler<M> = (request: RequestOf<M>, call: Call) => Promise<ResponseOf<M>>;
/** A call without a handler is UNIMPLEMENTED. */
export type Handlers<Name extends ServiceName> = { readonly [Method in keyof Services[Name]]?: Handler<Services[Name][Method]> };

export interface Surroundings {
  readonly logger: Logger;
  readonly inFlight: InFlight;
  /** Told of every call that was answered: names of methods and codes only, so what is told stays bounded. */
  readonly observe?: ObserveCall | undefined;
}

export type ObserveCall = (call: { readonly method: string; readonly code: string; readonly seconds: number }) => void;

/** A service as a server takes it. */
export interface BoundService {
  readonly definition: ServiceDefinition;
  readonly implementation: UntypedServiceImplementation;
}

/** Asked all the time, and nothing changes by them: their success is only logged at debug. */
const QUIET = /^(Probe|Get|List|Info$|Volumes$|Validate|NodeGet|Controller(Get|List)|GroupControllerGet)/;
/** Request ids begin with this: another process has another, and drawing one a call would be a system call each time. */
const PROCESS_ID = randomBytes(4).toString("hex");
let callCount = 0;
/** Trailers have a limit in every client. */
const MAX_MESSAGE = 4000;

type AnyHandler = (request: object, call: Call) => Promise<object>;

/** Joins handlers to a service. The one place where a call gets its id, signal and log, and an error its code. */
export function implement<Name extends ServiceName>(name: Name, handlers: Handlers<Name>, surroundings: Surroundings): BoundService {
  const definition = definitionOf(name);
  const implementation: UntypedServiceImplementation = {};
  for (const [method, handler] of Object.entries(handlers as Readonly<Record<string, AnyHandler | undefined>>)) {
    if (handler === undefined) continue;
    implementation[method] = (call: ServerUnaryCall<object, object>, answer: sendUnaryData<object>): void => {
      void run(method, handler, call, surroundings).then(answer.bind(undefined, null), (error: unknown) => answer(toStatus(method, error)));
    };
  }
  return { definition, implementation };
}

async function run(
  method: string,
  handler: AnyHandler,
  grpcCall: ServerUnaryCall<object, object>,
  { logger, inFlight, observe }: Surroundings,
): Promise<object> {
  const start = performance.now();
  const requestId = `${PROCESS_ID}-${++callCount}`;
  const log = logger.child({ method, requestId });
  log.debug("call", { request: { toJSON: () => redact(`${method}Request`, grpcCall.request) } }); // not made where nobody reads it
  const duration = (): number => Math.round((performance.now() - start) * 10) / 10;
  try {
    const response = await inFlight.run(async (ending) =>
      untilCancelled(grpcCall, method, ending, (call) => handler(grpcCall.request, { ...call, requestId })),
    );
    observe?.({ method, code: "OK", seconds: (performance.now() - start) / 1000 });
    log[QUIET.test(method) ? "debug" : "info"]("answered", { ...subjectOf(grpcCall.request, response), durationMs: duration(), code: "OK" });
    return response;
  } catch (error) {
    const code = statusOf(method, error);
    observe?.({ method, code: status[code], seconds: (performance.now() - start) / 1000 });
    const isFault = code === status.INTERNAL;
    const known = error instanceof DmthinError ? { errorCode: error.facts.code } : {};
    const fields = { ...subjectOf(grpcCall.request), durationMs: duration(), code: status[code], ...known, error };
    log[isFault ? "error" : "warn"]("failed", isFault && error instanceof Error ? { ...fields, stack: error.stack } : fields);
    throw error;
  }
}

/** The work ends when the caller gives up, at its deadline, or when the server cannot wait any longer. A call that was answered is "cancelled" as well, when its stream closes. */
async function untilCancelled(
  grpcCall: ServerUnaryCall<object, object>,
  operation: string,
  ending: AbortController,
  work: (call: Omit<Call, "requestId">) => Promise<object>,
): Promise<object> {
  const deadline = Number(grpcCall.getDeadline());
  const cancel = (): void => ending.abort(new DmthinError({ code: Date.now() >= deadline ? "deadline" : "cancelled", operation }));
  grpcCall.on("cancelled", cancel);
  try {
    return await work({ deadline: Number.isFinite(deadline) ? deadline : undefined, signal: ending.signal });
  } finally {
    grpcCall.off("cancelled", cancel);
  }
}

function toStatus(method: string, error: unknown): { readonly code: status; readonly details: string } {
  const message = error instanceof Error ? error.message : String(error);
  return { code: statusOf(method, error), details: message.length > MAX_MESSAGE ? `${message.slice(0, MAX_MESSAGE)}…` : message };
}
