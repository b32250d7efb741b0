import { writeFile } from "node:fs/promises";
import { run } from "../command.ts";
import { API_SERVICE, BRIDGE, CONTROL_PLANE, nodeAddress, podRange, tapName } from "./addresses.ts";

/** Lays the cluster's network in this process's own network namespace, with which it goes. */
export async function layNetwork(): Promise<void> {
  await ip("link", "set", "lo", "up");
  await ip("addr", "add", `${API_SERVICE}/32`, "dev", "lo");
  await ip("link", "add", BRIDGE, "type", "bridge");
  await ip("addr", "add", `${CONTROL_PLANE}/24`, "dev", BRIDGE);
  await ip("link", "set", BRIDGE, "up");
  await writeFile("/proc/sys/net/ipv4/ip_forward", "1");
}

/** A node's end of the network: pods are routed to it, since no guest's kernel can translate addresses. */
export async function connectNode(index: number): Promise<void> {
  await ip("tuntap", "add", tapName(index), "mode", "tap");
  await ip("link", "set", tapName(index), "master", BRIDGE, "up");
  await ip("route", "add", podRange(index), "via", nodeAddress(index));
}

const ip = (...args: readonly string[]): Promise<string> => run(["ip", ...args]);
