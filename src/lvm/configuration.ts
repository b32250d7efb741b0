/**
 * What every command is told in place of what the host's lvm.conf says. Source: lvm.conf(5).
 * - No dmeventd: the driver looks after its pools itself.
 * - No udev: in a container of its own a cookie waits for ever, so LVM makes its nodes itself, and the host's udev is told
 *   to leave the volumes alone.
 * - No list of devices, and no hints, by others: what is shown is said by `--devices`.
 * - No thin_check: the driver has checked the metadata before it lets LVM activate a pool, and twice takes minutes.
 * - No look into suspended devices, which would wait for their resume.
 * - No backups of LVM's metadata: they would be the container's own, lost with it, and slow commands down as they pile up.
 */
export const CONFIG = [
  "activation/monitoring=0",
  "activation/udev_sync=0",
  "activation/udev_rules=0",
  "activation/verify_udev_operations=0",
  "devices/obtain_device_list_from_udev=0",
  'devices/external_device_info_source="none"',
  'devices/hints="none"',
  "backup/backup=0",
  "backup/archive=0",
  'global/thin_check_executable=""',
  "devices/ignore_suspended_devices=1",
].join(" ");

/** The pool's lock is among its descriptors on purpose. */
export const ENVIRONMENT = { LVM_SUPPRESS_FD_WARNINGS: "1" };
