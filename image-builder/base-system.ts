import type { Archive } from "./archive.ts"
import { asRoot } from "./as-root.ts"
import { kernelPackages } from "./definition.ts"
import { ImageError } from "./errors.ts"
import type { Layer } from "./layers.ts"
import { run } from "./run.ts"

/** What no one reads on such a machine, and what makes the image a quarter larger. */
const unwanted = [
  "/usr/share/man/*",
  "/usr/share/doc/*",
  "/usr/share/locale/*",
  "/usr/share/info/*",
  "/usr/share/lintian/*",
]

/**
 * The kernel is unpacked, not installed: installing it would bring the distribution's initial RAM disk builder, and
 * the machine boots with one of ours.
 */
const unpackKernel = (kernel: string) => `
  set -e
  cd "$1/var/tmp"
  name=$(chroot "$1" apt-cache depends ${kernel} | sed -n 's/ *Depends: \\(linux-image-[^ ]*\\)/\\1/p' | head -n 1)
  modules=$(chroot "$1" apt-cache depends "$name" | sed -n 's/ *Depends: \\(linux-modules-[^ ]*\\)/\\1/p')
  chroot "$1" sh -c "cd /var/tmp && apt-get download -qq $name $modules"
  # Beside the system first: the package's /lib would take the place of the link of that name.
  for package in *.deb; do dpkg-deb --extract "$package" kernel; rm "$package"; done
  mv kernel/boot/vmlinuz-* "$1/boot/"
  mv kernel/lib/modules "$1/usr/lib/"
  rm -r kernel
  release=$(ls "$1/usr/lib/modules")
  chroot "$1" depmod "$release"`

/** The distribution with every package of the image, and the kernel with its modules. */
export function baseSystem(
  archive: Archive,
  packages: string[],
  about: { logFile: string; log: (line: string) => void },
): Layer {
  const command = bootstrapCommand(archive, packages)
  return {
    name: "base",
    inputs: { command, suite: archive.suite },
    keep: true,
    async apply(root) {
      // As a stream: where the builder is not root, mmdebstrap and we number the image's users differently.
      // Without device nodes, which only true root can make; the machine's kernel makes them itself.
      const unpack = ["tar", "--extract", "--numeric-owner", "'--exclude=./dev/*'", "--directory", `'${root}'`]
      const script = `set -o pipefail; "$@" | ${asRoot(unpack).join(" ")}`
      const onLine = (line: string) => {
        const words = /^I: (running|downloading|extracting|installing|creating)(.*)/.exec(line)
        if (words) about.log(`  ${words[1]}${words[2]}`)
      }
      await run(["bash", "-c", script, "bash", ...command], {
        input: archive.sources.map(line => `${line}\n`).join(""),
        logFile: about.logFile,
        onLine,
      }).catch(error => {
        throw new ImageError("base-failed", `The base system could not be made. ${error.message}`)
      })
    },
  }
}

/** The command line of mmdebstrap that writes the base system as a tar archive to its output. Pure. */
export function bootstrapCommand(archive: Archive, packages: string[]): string[] {
  return [
    "mmdebstrap",
    "--variant=minbase",
    "--format=tar",
    `--include=${packages.join(",")}`,
    ...unwanted.map(path => `--dpkgopt=path-exclude=${path}`),
    ...archive.options.map(option => `--aptopt=${option}`),
    '--aptopt=Apt::Install-Recommends "false"',
    `--customize-hook=${unpackKernel(kernelPackages[archive.distribution] ?? "")}`,
    // How this computer reaches the archive is nothing that the machine shall inherit.
    '--customize-hook=rm -f "$1/etc/apt/apt.conf.d/99mmdebstrap" "$1/etc/resolv.conf" "$1/etc/hostname"',
    archive.suite,
    "-",
    "-",
  ]
}
