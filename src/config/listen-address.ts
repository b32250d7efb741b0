import * as z from "zod";
import { quote } from "./wording.ts";

export interface ListenAddress {
  /** Empty: every address. */
  readonly host: string;
  readonly port: number;
}

/** "127.0.0.1:9808", "[::1]:9808", or ":9808" for every address. */
const ADDRESS = /^(?<host>\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]*):(?<port>\d{1,5})$/;

export const listenAddress = () =>
  z.string().transform((text, context): ListenAddress => {
    const { host = "", port = "" } = ADDRESS.exec(text)?.groups ?? {};
    if (port !== "" && Number(port) <= 65_535) return { host: host.replaceAll(/[[\]]/g, ""), port: Number(port) };
    context.addIssue(`${quote(text)} is not an address to listen on: write 127.0.0.1:9808, [::1]:9808, or :9808 for every address`);
    return z.NEVER;
  });
