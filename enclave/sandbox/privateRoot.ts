/**
 * Room: enclave/sandbox. A file system with nothing in it but what a sandbox process needs, for machines without
 * bubblewrap: a fixed shell script, run in a mount namespace of its own with the rights to mount there, and no others after.
 */

/** Where the system's libraries lie; all that a process sees of the system. */
export const libraryDirs = ["/lib", "/lib64", "/usr/lib", "/usr/lib64"] as const;

/** Where native engines find their inputs: in memory, gone with the process. */
export const scratchDir = "/data";

/**
 * Script for `sh -c`. Arguments: size of {@link scratchDir} in bytes (0: there is none), how many files follow, those
 * files, the command. The new root is put together over /sys, which exists everywhere and is not needed any more; where
 * the old one hangs after `pivot_root`, an empty file system is put on top, which nothing without rights can take away.
 * Every mount is read-only but {@link scratchDir}: by options of the bind itself, which mount(8) knows since util-linux 2.27,
 * long before the options of unshare(1) that start this script. Whatever fails ends the script: the command is not run.
 */
export const privateRoot = `
set -eu
PATH=/usr/sbin:/usr/bin:/sbin:/bin
umask 022
scratch=$1 count=$2
shift 2
mount=$(command -v mount)
show() {
  mount --bind -o ro,nosuid,nodev "$1" "/sys$1"
}
(echo 0 > /proc/sys/user/max_user_namespaces) 2> /dev/null || :
mount -t tmpfs -o mode=755,size=1m,nosuid,nodev none /sys
for dir in ${libraryDirs.join(" ")}; do
  if [ -L "$dir" ]; then ln -s "$(readlink "$dir")" "/sys$dir"
  elif [ -d "$dir" ]; then mkdir -p "/sys$dir"; show "$dir"
  fi
done
for file in "$@"; do
  [ "$count" -gt 0 ] || break
  count=$((count - 1))
  shift
  mkdir -p "/sys\${file%/*}"
  : > "/sys$file"
  show "$file"
done
mkdir /sys/old
if [ "$scratch" -gt 0 ]; then
  mkdir /sys${scratchDir}
  mount -t tmpfs -o "mode=700,size=$scratch,nr_inodes=64,nosuid,nodev,noexec" none /sys${scratchDir}
fi
mount -o remount,bind,ro,nosuid,nodev /sys
cd /sys
pivot_root . old
"/old$mount" -n -i -t tmpfs -o ro,size=4k,nosuid,nodev,noexec none /old
unset PATH OLDPWD PWD
exec "$@"
`;
