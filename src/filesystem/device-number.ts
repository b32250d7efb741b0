export interface DeviceNumber {
  readonly major: number;
  readonly minor: number;
}

/** A device number as stat(2) gives it, taken apart. Source: makedev(3): minor's upper 12 bits lie above the major's. */
export const deviceOf = (rdev: number): DeviceNumber => ({
  major: Math.floor(rdev / 2 ** 8) % 2 ** 12,
  minor: (rdev % 2 ** 8) + Math.floor(rdev / 2 ** 20) * 2 ** 8,
});
