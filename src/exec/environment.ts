/** Where Debian and most others keep what an administrator runs. The driver's own PATH is not asked: it is a service's. */
export const PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** All that a program sees of the environment: nothing of ours, and messages in English whatever the host speaks. */
export const environment = (more: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> => ({ PATH, LC_ALL: "C", ...more });
