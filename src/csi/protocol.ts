import type { MethodDefinition, ServiceDefinition } from "@grpc/grpc-js";
import protobuf from "protobufjs/light.js";
import adminDescriptor from "./generated/admin.json" with { type: "json" };
import type { AdminService } from "./generated/admin.ts";
import csiDescriptor from "./generated/csi.json" with { type: "json" };
import registrationDescriptor from "./generated/pluginregistration.json" with { type: "json" };
import type { RegistrationService } from "./generated/pluginregistration.ts";
import type { ControllerService, GroupControllerService, IdentityService, NodeService } from "./generated/csi.ts";

/** The services served and asked, by their full name. */
export interface Services {
  readonly "csi.v1.Identity": IdentityService;
  readonly "csi.v1.Controller": ControllerService;
  readonly "csi.v1.GroupController": GroupControllerService;
  readonly "csi.v1.Node": NodeService;
  readonly "dmthin.admin.v1.Admin": AdminService;
  readonly "pluginregistration.Registration": RegistrationService;
}
export type ServiceName = keyof Services;

/** What the generated types are made for: 64-bit numbers and enums as strings, everything there that can be. */
const OPTIONS = { longs: String, enums: String, defaults: true, oneofs: true } as const;

/** A protocol is looked through when it is first asked for: a command needs the smaller one alone, and people wait for it. */
function once(descriptor: object): () => protobuf.Namespace {
  let root: protobuf.Namespace | undefined;
  return () => (root ??= protobuf.Root.fromJSON(descriptor).resolveAll());
}

const admin = once(adminDescriptor);
const csi = once(csiDescriptor);
const registration = once(registrationDescriptor);

const PROTOCOLS: Readonly<Record<ServiceName, () => protobuf.Namespace>> = {
  "csi.v1.Identity": csi,
  "csi.v1.Controller": csi,
  "csi.v1.GroupController": csi,
  "csi.v1.Node": csi,
  "dmthin.admin.v1.Admin": admin,
  "pluginregistration.Registration": registration,
};

/** What grpc-js needs of a service. Throws if the protocol has no such service, or a stream: there are none. */
export function definitionOf(name: ServiceName): ServiceDefinition {
  const service = PROTOCOLS[name]().lookupService(name);
  return Object.fromEntries(service.methodsArray.map((method) => [method.name, toDefinition(name, method)]));
}

function toDefinition(service: ServiceName, method: protobuf.Method): MethodDefinition<object, object> {
  const { name, requestStream = false, responseStream = false, resolvedRequestType: request, resolvedResponseType: response } = method;
  if (request === null || response === null || requestStream || responseStream) throw new TypeError(`${service}.${name} is not one message for one`);
  return {
    path: `/${service}/${name}`,
    requestStream,
    responseStream,
    requestSerialize: serializer(request),
    requestDeserialize: deserializer(request),
    responseSerialize: serializer(response),
    responseDeserialize: deserializer(response),
  };
}

function serializer(type: protobuf.Type): (message: object) => Buffer {
  return (message) => {
    const { buffer, byteOffset, length } = type.encode(type.fromObject(message)).finish();
    return Buffer.from(buffer, byteOffset, length);
  };
}

function deserializer(type: protobuf.Type): (bytes: Buffer) => object {
  return (bytes) => type.toObject(type.decode(bytes), OPTIONS);
}
