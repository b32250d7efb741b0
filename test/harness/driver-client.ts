import { Channel, credentials, loadPackageDefinition, type Client, type ServiceClientConstructor } from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import { join } from "node:path";
import { checkout } from "../lab/checkout.ts";

type Message = Readonly<Record<string, unknown>>;
type Unary = (request: Message, answered: (error: Error | null, response?: Message) => void) => void;

/**
 * A driver that is being started is found soon: gRPC would wait for seconds between two attempts. Every client has a
 * connection of its own: grpc-js shares one among all channels to the same path, and when a driver ends and another takes its
 * socket over, a channel may go on to believe in the old one's. It then picks it again and again, in microtasks alone, so
 * that no time limit of the test fires either (seen with 1.14.7: load-balancing-call.ts, "Retrying pick").
 */
const CHANNEL_OPTIONS = {
  "grpc.default_authority": "localhost",
  "grpc.initial_reconnect_backoff_ms": 20,
  "grpc.max_reconnect_backoff_ms": 100,
  "grpc.use_local_subchannel_pool": 1,
} as const;
const PROTO_OPTIONS = { keepCase: true, longs: String, enums: String, defaults: true, oneofs: true } as const;

/**
 * A CSI client for tests, as any caller would write one from the published interface: it shares no code with the driver.
 * Methods are called by name, requests and answers are in the interface's own spelling.
 */
export class DriverClient {
  readonly #channel: Channel;
  readonly #services: readonly Client[];

  constructor(socket: string) {
    const definition = loadPackageDefinition(loadSync(join(checkout, "proto/csi.proto"), PROTO_OPTIONS)) as unknown as {
      readonly csi: { readonly v1: Readonly<Record<string, ServiceClientConstructor>> };
    };
    const [address, insecure] = [`unix://${socket}`, credentials.createInsecure()];
    this.#channel = new Channel(address, insecure, CHANNEL_OPTIONS);
    this.#services = ["Identity", "Controller", "GroupController", "Node"].map((name) => {
      const Service = definition.csi.v1[name];
      if (Service === undefined) throw new Error(`proto/csi.proto has no service ${name}`);
      return new Service(address, insecure, { channelOverride: this.#channel });
    });
  }

  /** Rejects with grpc-js's ServiceError: `code` and `details`. */
  call(method: string, request: Message): Promise<Message> {
    const client = this.#services.find((service) => method in service);
    if (client === undefined) throw new Error(`no service has a method ${method}`);
    const unary = (client as unknown as Readonly<Record<string, Unary>>)[method]?.bind(client);
    return new Promise((resolve, reject) => unary?.(request, (error, response = {}) => (error === null ? resolve(response) : reject(error))));
  }

  close(): void {
    this.#channel.close();
  }
}
