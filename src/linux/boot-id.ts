import { readFileSync } from "node:fs";

/** Another boot has another one: what was staged before is staged no more. Source: random(4). */
export const readBootId = (): string => readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
