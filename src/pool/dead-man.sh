#!/bin/sh
# The dead man's handle: resumes what a dead driver left suspended, so that no application stays frozen with it.
#
#   dead-man.sh                 reads "arm UUID" and "disarm UUID" from stdin; at its end resumes what is armed.
#   dead-man.sh COMMAND ARGS    starts the command with stdin's like as descriptor 3 (DMTHIN_DEAD_MAN_FD=3), does the
#                               same when the command ends, and exits as it did: for images, where all others die with
#                               the init's only child.
#
# It may run for months and must outlive its parent: no network, no files (save the second form's fifo, in TMPDIR until the
# command has ended), and signals to its group do not end it.
set -u
armed=' '

# Lines until the other end is closed, which the kernel does once every thread of the driver is gone.
listen() {
  while read -r verb uuid; do
    case $verb in
      arm) armed="$armed$uuid " ;;
      disarm)
        case $armed in
          *" $uuid "*) armed="${armed%% "$uuid" *} ${armed#* "$uuid" }" ;;
        esac
        ;;
    esac
  done
}

resume() {
  for uuid in $armed; do
    DM_DISABLE_UDEV=1 dmsetup resume --noudevsync --uuid "$uuid" || echo "dead-man: device $uuid could not be resumed" >&2
  done
}

if [ $# -eq 0 ]; then
  trap '' TERM INT HUP QUIT
  listen
  resume
  exit 0
fi

channel=$(mktemp -u "${TMPDIR:-/tmp}/dead-man.XXXXXX")
mkfifo -m 0600 "$channel" || exit 1
# The listener is a process of its own that no signal ends: dash's read comes back early when a trap has run, and what is
# armed would be resumed under a driver that is only shutting down.
(
  trap '' TERM INT HUP QUIT
  listen <"$channel"
  resume
) &
listener=$!
DMTHIN_DEAD_MAN_FD=3 "$@" 3>"$channel" &
driver=$!
trap 'kill -TERM "$driver"' TERM
trap 'kill -INT "$driver"' INT
# A trap interrupts wait, too: the driver has ended when it cannot be signalled any more.
while :; do
  wait "$driver"
  code=$?
  kill -0 "$driver" 2>/dev/null || break
done
rm -f "$channel"
wait "$listener"
exit "$code"
