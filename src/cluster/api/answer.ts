import { DmthinError } from "../../errors.ts";

/** What the API server answered, told apart by its status alone. */
export interface Answer {
  readonly status: number;
  /** Parsed; undefined when it is no JSON. */
  readonly body: unknown;
  readonly retryAfterSeconds: number | undefined;
}

/** What a request is about, for errors. */
export interface Subject {
  readonly verb: string;
  readonly kind: string;
  readonly name?: string;
}

interface StatusBody {
  readonly reason: string | undefined;
  readonly message: string | undefined;
  readonly objectName: string | undefined;
  readonly fields: readonly string[];
}

export const requestOf = ({ verb, kind, name = "" }: Subject): string => `${verb} ${kind} ${name}`.trim();

/** Whether it is the object that is not there, and not its whole kind. */
export const isMissing = ({ status, body }: Answer, name: string): boolean =>
  status === 404 && statusIn(body).reason === "NotFound" && statusIn(body).objectName === name;

/** An answer that is no success, as an error. Source: apimachinery, metav1.Status and its reasons. */
export function errorOfAnswer({ status, body }: Answer, subject: Subject): DmthinError {
  const request = requestOf(subject);
  const { message, fields } = statusIn(body);
  const reason = message ?? `HTTP status ${status}`;
  if (status === 429 || status >= 500) return new DmthinError({ code: "api-unreachable", request, reason });
  // A patch that names another uid is told to be no valid change of it.
  const isOther = status === 409 || (status === 422 && fields.includes("metadata.uid"));
  if (isOther) return new DmthinError({ code: "api-conflict", kind: subject.kind, name: subject.name ?? "" });
  if (status === 410) return new DmthinError({ code: "api-expired", request });
  return new DmthinError({ code: "api-refused", request, status, reason });
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === "object" && value !== null;
const text = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);

function statusIn(body: unknown): StatusBody {
  if (!isObject(body)) return { reason: undefined, message: undefined, objectName: undefined, fields: [] };
  const details = isObject(body["details"]) ? body["details"] : {};
  const causes: readonly unknown[] = Array.isArray(details["causes"]) ? details["causes"] : [];
  const fields = causes.flatMap((cause) => (isObject(cause) ? [text(cause["field"]) ?? ""] : []));
  return { reason: text(body["reason"]), message: text(body["message"]), objectName: text(details["name"]), fields };
}
