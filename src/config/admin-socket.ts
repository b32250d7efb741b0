/** Apart from the schema: a command that only asks the driver starts sooner without it. */
export const DEFAULT_ADMIN_SOCKET = "/run/dmthin/admin.sock";
