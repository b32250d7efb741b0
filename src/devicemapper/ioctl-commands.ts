/** The numbers of the kernel's interface. Source: include/uapi/linux/dm-ioctl.h, the same since Linux 5.15. */
export const COMMAND = {
  listDevices: 2,
  create: 3,
  remove: 4,
  suspend: 6,
  info: 7,
  load: 9,
  clear: 10,
  status: 12,
  listVersions: 13,
  message: 14,
  armPoll: 16,
} as const;
export type Command = (typeof COMMAND)[keyof typeof COMMAND];

export const FLAG = {
  readOnly: 1 << 0,
  suspend: 1 << 1,
  statusTable: 1 << 4,
  activePresent: 1 << 5,
  inactivePresent: 1 << 6,
  bufferFull: 1 << 8,
  skipLockFs: 1 << 10,
  noFlush: 1 << 11,
  uuid: 1 << 14,
  dataOut: 1 << 16,
  deferredRemove: 1 << 17,
} as const;

export const CONTROL_PATH = "/dev/mapper/control";
/** sizeof(struct dm_ioctl). */
export const HEADER_SIZE = 312;
/** DM_NAME_LEN and DM_UUID_LEN, with their NUL. */
export const NAME_SIZE = 128;
export const UUID_SIZE = 129;

/** _IOWR(0xfd, command, struct dm_ioctl). */
export const requestNumber = (command: Command): number => 3 * 2 ** 30 + HEADER_SIZE * 2 ** 16 + 0xfd * 2 ** 8 + command;
