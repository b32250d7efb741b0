import descriptor from "./generated/csi.json" with { type: "json" };

interface Field {
  readonly type: string;
  /** Of a map. */
  readonly keyType?: string;
  readonly options?: Readonly<Record<string, unknown>>;
}
interface Message {
  readonly fields?: Readonly<Record<string, Field>>;
  readonly nested?: Readonly<Record<string, Message>>;
}
/** A message, and around it those in which it stands. */
type Scopes = readonly [Message, ...Message[]];

const protocol = descriptor.nested.csi.nested.v1 as object as Message;
const SECRET = "(csi_secret)";
const HIDDEN = "***";

/**
 * A request as it may be logged: whatever the protocol itself marks with `csi_secret` is replaced, at any depth;
 * what is empty is left out. `type` is the request's message, "CreateVolumeRequest".
 */
export function redact(type: string, request: object): Readonly<Record<string, unknown>> {
  const message = protocol.nested?.[type];
  return message === undefined ? {} : visible([message, protocol], request);
}

function visible(scopes: Scopes, value: object): Readonly<Record<string, unknown>> {
  const shown = Object.entries(value)
    .filter(([name, content]) => scopes[0].fields?.[name] !== undefined && !isEmpty(content) && !isEmptyMap(scopes[0], name, content))
    .map(([name, content]): readonly [string, unknown] => [name, field(scopes, name, content)]);
  return Object.fromEntries(shown);
}

function field(scopes: Scopes, name: string, content: unknown): unknown {
  const described = scopes[0].fields?.[name];
  if (described === undefined || described.options?.[SECRET] === true) return HIDDEN;
  const inner = find(scopes, described.type);
  if (inner === undefined) return content;
  if (Array.isArray(content)) return content.map((item: unknown) => within(inner, item));
  return within(inner, content);
}

const within = (scopes: Scopes, content: unknown): unknown => (typeof content === "object" && content !== null ? visible(scopes, content) : content);

/** The message that a type names, seen from inside these messages: innermost first, as protobuf looks it up. */
function find(scopes: Scopes, type: string): Scopes | undefined {
  for (const [index, scope] of scopes.entries()) {
    const found = scope.nested?.[type];
    if (found !== undefined) return [found, ...scopes.slice(index)];
  }
  return undefined;
}

const isEmpty = (content: unknown): boolean => content === null || content === "" || (Array.isArray(content) && content.length === 0);

const isEmptyMap = (message: Message, name: string, content: unknown): boolean =>
  message.fields?.[name]?.keyType !== undefined && typeof content === "object" && content !== null && Object.keys(content).length === 0;
