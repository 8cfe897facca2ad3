import { userInfo } from "node:os"
import { ImageError } from "./errors.ts"
import { run } from "./run.ts"

/**
 * The command as root of the files it makes: as it is for root, else in a user namespace in which the builder is
 * root and every other user of the image has a number of the builder's own range. Pure but for who asks.
 */
export function asRoot(command: string[], isRoot = userInfo().uid === 0): string[] {
  return isRoot ? command : ["unshare", "--user", "--map-root-user", "--map-auto", ...command]
}

/** What is around a program that works on the image, and nothing of whoever builds it. */
export const rootEnvironment = [
  "PATH=/usr/sbin:/usr/bin:/sbin:/bin",
  "HOME=/root",
  "LC_ALL=C.UTF-8",
  "DEBIAN_FRONTEND=noninteractive",
]

/** Refuses early where neither is possible; `asked` is what would be asked of the system. */
export async function checkRights(asked = asRoot(["true"]), user = userInfo().username): Promise<void> {
  await run(asked).catch(error => {
    throw new ImageError(
      "no-rights",
      `Building an image takes root or user namespaces, and ${user} has neither: ${error.message}. Run it as root, or ` +
        "install the package uidmap, see that sysctl allows user namespaces, and give the user a range of numbers: " +
        `usermod --add-subuids 100000-165535 --add-subgids 100000-165535 ${user}`,
    )
  })
}

/** Devices that a program may expect; writing to them changes nothing. */
const devices = ["null", "zero", "full", "random", "urandom", "tty"]

/**
 * The command inside a root filesystem, with mounts in a namespace that ends with it: nothing stays mounted, however
 * it ends. Nothing of the builder can be written from inside: its /proc is read-only, of its devices there are only
 * the harmless ones, and no file of it is there, not even the resolver's. The network is one of its own with nobody in
 * it: what needs another happens outside, and a port to try is free.
 */
export function inRoot(root: string, command: string[], isRoot?: boolean): string[] {
  const script = `
    root=$1; shift
    mount --bind /proc "$root/proc" && mount -o remount,bind,ro "$root/proc"
    mount -t tmpfs -o mode=755 tmpfs "$root/dev"
    for name in ${devices.join(" ")}; do : > "$root/dev/$name"; mount --bind "/dev/$name" "$root/dev/$name"; done
    ln -s /proc/self/fd "$root/dev/fd"; ln -s fd/0 "$root/dev/stdin"; ln -s fd/1 "$root/dev/stdout"; ln -s fd/2 "$root/dev/stderr"
    exec chroot "$root" "$@"`
  return [
    ...asRoot(["unshare", "--mount", "--net", "--fork", "sh", "-euc", script, "sh", root], isRoot),
    ...["env", "-i", ...rootEnvironment],
    ...command,
  ]
}
