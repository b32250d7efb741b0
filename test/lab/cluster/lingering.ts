import { spawn } from "node:child_process";
import { readlink } from "node:fs/promises";
import { run } from "../command.ts";
import { connectNode, layNetwork } from "./network.ts";

/** For own-namespaces.test.ts: what a cluster has of a machine, and a process that would go on for long. */
await layNetwork();
await connectNode(1);
await run(["mount", "-t", "tmpfs", "lingering", "/mnt"]);
spawn("sleep", ["1000"], { stdio: "ignore", detached: true }).unref();
process.stdout.write(`${await readlink("/proc/self/ns/pid")} ${await readlink("/proc/self/ns/net")}\n`);
setInterval(() => undefined, 1000);
