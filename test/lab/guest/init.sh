#!/bin/sh
# The guest's first process: mounts, devices, the command in /lab/command, its exit code.
# stdout and stderr leave by /dev/ttyS0 and ttyS1; /dev/ttyS2 tells the host "ready", then "exit CODE".
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C HOME=/root
mount -t proc proc /proc
echo 2 > /proc/sys/kernel/io_uring_disabled # Node >= 22 crashes this kernel otherwise
mount -t sysfs sysfs /sys
mount -t tmpfs tmpfs /run
mount -t tmpfs -o mode=1777 tmpfs /tmp
mount -t devtmpfs devtmpfs /dev
mkdir -p /dev/pts /dev/shm /run/lock /run/lab
mount -t devpts devpts /dev/pts
mount -t tmpfs tmpfs /dev/shm
mount -t cgroup2 cgroup2 /sys/fs/cgroup
hostname lab
ip link set lo up
. /lab/settings # LAB_CHECKOUT, LAB_CACHE, LAB_UDEV, LAB_TERMINAL, LAB_SILENCE
mkdir -p "$LAB_CHECKOUT" "$LAB_CACHE"
mount --bind /lab/checkout "$LAB_CHECKOUT"
mount --bind /lab/cache "$LAB_CACHE"
modprobe -a dm-thin-pool dm-flakey dm-delay dm-dust dm-log-writes loop

if [ "$LAB_UDEV" = yes ]; then
  udev=1
  /usr/lib/systemd/systemd-udevd --daemon 2> /dev/null
  udevadm trigger --action=add --subsystem-match=block --subsystem-match=misc
  udevadm settle
else
  udev=0
  export DM_DISABLE_UDEV=1
fi
# No dmeventd: even a removal would start it, wait for it without end, and leave it behind. Who tests it asks for it.
cat > /etc/lvm/lvmlocal.conf << END
devices { types = ["ubd", 16] use_devicesfile = 0 obtain_device_list_from_udev = $udev }
activation { monitoring = 0 udev_sync = $udev udev_rules = $udev }
END

# A test that hangs in the kernel holds up its own time limit too. So who is not heard of for LAB_SILENCE seconds is given
# up: with what every process waits for, so that somebody can tell why.
watch_progress() {
  echo 'what came before the first test' > /run/lab/progress # test/harness/jest-reporter.ts writes what runs to it
  while sleep 5; do
    [ $(($(date +%s) - $(stat -c %Y /run/lab/progress))) -ge "$LAB_SILENCE" ] || continue
    { # The most telling last: logs are cut at their beginning.
      echo "no test has ended for $LAB_SILENCE s. The kernel's last messages:"
      dmesg | tail -n 20
      echo "the guest's processes, and where they wait in the kernel:"
      ps -o pid,ppid,stat,wchan:32,etimes,args --cols 200 --ppid 2 -p 2 --deselect
      for process in $(ps -eo pid=,stat= | sed -n 's/^ *\([0-9]*\) D.*/\1/p'); do
        echo "process $process:"
        cat "/proc/$process/stack"
      done
    } > /run/lab/stderr 2>&1
    echo "FAILED no test has ended for $LAB_SILENCE s: $(cat /run/lab/progress)" > /run/lab/stdout
    sleep 2 # until that has left
    echo "exit 124" > /dev/ttyS2
  done
}

if [ -n "$LAB_TERMINAL" ]; then # "ROWS COLUMNS": somebody works here by hand
  set -- $LAB_TERMINAL
  exec 3<> /dev/ttyS0 # kept open: at its last close a terminal forgets how large it is
  stty sane rows "$1" columns "$2" <&3
  echo ready > /dev/ttyS2
  setsid --ctty --wait sh /lab/command < /dev/ttyS0 > /dev/ttyS0 2>&1
  code=$?
  stdout= stderr=
else
  stty raw -echo < /dev/ttyS0 # else the terminal turns every newline into two characters
  stty raw -echo < /dev/ttyS1
  mkfifo /run/lab/stdout /run/lab/stderr
  cat < /run/lab/stdout > /dev/ttyS0 &
  stdout=$!
  cat < /run/lab/stderr > /dev/ttyS1 &
  stderr=$!
  [ -z "$LAB_SILENCE" ] || watch_progress &
  echo ready > /dev/ttyS2
  sh /lab/command < /dev/null > /run/lab/stdout 2> /run/lab/stderr
  code=$?
fi

# What the command left running ends with it, so that its output ends too. What hangs in the kernel cannot be ended.
find_others() {
  others=
  for process in /proc/[0-9]*; do
    process=${process#/proc/}
    line=
    case "$process" in 1 | 2 | "$stdout" | "$stderr") ;; *) read -r line < "/proc/$process/stat" ;; esac 2> /dev/null
    # After the name in parentheses: state and parent. Kernel threads are children of 2. An empty
    # command line is no sign of one: a process in the middle of its exec has none either.
    case "${line##*) }" in '' | Z* | X* | ?" 2 "*) ;; *) others="$others $process" ;; esac
  done
}
tries=0
find_others
while [ -n "$others" ] && [ $tries -lt 20 ]; do
  kill -9 $others 2> /dev/null
  sleep 0.1
  tries=$((tries + 1))
  find_others
done
if [ -n "$stdout" ]; then
  [ -z "$others" ] || { sleep 1 && kill "$stdout" "$stderr"; } &
  wait "$stdout" "$stderr"
fi
stty sane < /dev/ttyS0 # returns once everything written has left
stty sane < /dev/ttyS1
(sync && : > /run/lab/synced) & # a suspended device holds sync up for ever
tries=0
until [ -e /run/lab/synced ] || [ $tries -ge 40 ]; do
  sleep 0.05
  tries=$((tries + 1))
done
echo "exit $code" > /dev/ttyS2
sleep infinity # the host ends the guest
