import { kernelPackages, NODE_VERSION } from "../definition.ts"

/** Names the platform's image, beside the profiles of golden images. */
export const PLATFORM_PROFILE = "platform"

/** Raised when the builder itself makes something different from the same files. */
const FORMAT = 1

/** Distribution packages of the service's server, by what they are for; Debian and Ubuntu call all of them the same. */
const packages = {
  system: "systemd systemd-sysv kmod e2fsprogs busybox-static procps iproute2 netbase tzdata util-linux",
  door: "nginx libnginx-mod-stream openssl ca-certificates",
  store: "redis-server",
  boot: "curl jq",
}

/** The units that start with it. */
export const PLATFORM_UNITS = [
  ...["foozol-platform-boot.service", "foozol-redis.service", "nginx.service", "foozol-keeper.service"],
  "foozol-cloud.service",
]

export const platformPackages = (): string[] =>
  [...new Set(Object.values(packages).flatMap(line => line.split(" ")))].sort()

/** What names the image besides the files that it is made of. */
export const platformDefinition = { FORMAT, packages, kernelPackages, NODE_VERSION }

/** The engine as set-up has it: files, and the folder by which the command line looks for them. */
export interface PlatformEngine {
  /** Name of its folder in the cache. */
  key: string
  pulumi: { path: string; version: string }
  hcloudPlugin: { path: string; version: string }
}
