import { Option, type Command } from "commander";
import { ROLES, type Role } from "../config/roles.ts";
import { begin, type End } from "./command.ts";
import type { Terminal } from "./terminal.ts";

/** What a command needs is loaded when it runs: the others start sooner without the schema. */
export function addConfigCommands(dmthin: Command, { terminal }: { readonly terminal: Terminal }, end: End): void {
  const config = begin(dmthin.command("config"), terminal, ["dmthin config example > dmthin.yaml", "dmthin config check dmthin.yaml"]).description(
    "Write and check configuration files.",
  );
  begin(config.command("check"), terminal, ["dmthin config check dmthin.yaml", "dmthin config check node.yaml --role node"])
    .argument("<file>", "configuration, YAML or JSON")
    .description("Say everything that is wrong with a configuration file. Exit code 1 if anything is.")
    .addOption(forRole())
    .action(async (file: string, { role }: { readonly role: Role }) => end((await import("./config.ts")).checkConfig(file, role, terminal)));
  begin(config.command("example"), terminal, ["dmthin config example > dmthin.yaml", "dmthin config example --role controller"])
    .description("Print a configuration to start from, with comments.")
    .addOption(forRole())
    .action(async ({ role }: { readonly role: Role }) => end((await import("./config.ts")).printExample(role, terminal)));
  begin(config.command("from-docker"), terminal, ["dmthin config from-docker /etc/docker/daemon.json > dmthin.yaml"])
    .argument("<file>", "Docker's daemon.json")
    .description("Print the configuration that the devicemapper options in Docker's daemon.json amount to. What has no meaning here is left out, and said.")
    .action(async (file: string) => end((await import("./from-docker.ts")).printFromDocker(file, terminal)));
}

const forRole = (): Option => new Option("--role <role>", "what it is for").choices(ROLES).default("standalone");
