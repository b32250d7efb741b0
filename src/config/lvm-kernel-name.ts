/** A name inside a kernel name of LVM's: hyphens are doubled, so that the one between group and volume is alone. Source: lvm(8), "Naming". */
export const mangled = (name: string): string => name.replaceAll("-", "--");

/** The kernel's name of a logical volume. */
export const lvmKernelName = (group: string, volume: string): string => `${mangled(group)}-${mangled(volume)}`;
