/** Which kind of golden image; `repo` workspaces have no image of their own yet. */
export type ProfileName = "desktop" | "browser"

/** What differs between two images made on the same base. */
export interface Profile {
  name: ProfileName
  /** Packages on top of the base's. */
  packages: string[]
  /** Units that start with the machine, besides the base's. */
  units: string[]
}

/**
 * The app of the desktop, named by the operator: a `.deb`, an AppImage or a tarball by URL and checksum, or an npm
 * package with its version. `start` is the command line that starts it, run in /opt/foozol-app.
 */
export type AppSource = { start: string } & (
  | { kind: "deb" | "appimage" | "tarball"; url: string; sha256: string }
  | { kind: "npm"; package: string }
)

/** Raised when the builder itself makes something different from the same definition, so that images are made anew. */
export const IMAGE_FORMAT = 2

/** The version of Node on the machine. It comes from the npm packages that carry its binary, so from no extra host. */
export const NODE_VERSION = "24.21.0"

/** Command lines of npm, pinned; all land in /usr/bin. */
export const COMMAND_LINES = [
  "npm@11.19.1",
  "pnpm@12.21.0",
  "@openai/codex@0.169.0",
  "@anthropic-ai/claude-code@2.1.329",
  "@google/gemini-cli@0.61.0",
  "@devcontainers/cli@0.89.0",
]

/** Those of them that must run a script of their own when they are installed: they put their native binary in place. */
export const COMMAND_LINES_WITH_SCRIPTS = ["@anthropic-ai/claude-code", "pnpm"]

/**
 * Programs of Python's: a version and the checksum of its wheel, in pip's own words. What they import comes from the
 * distribution. Compose files: Debian's and Ubuntu's podman-compose cannot tell what a file comes to (`config`).
 */
export const PYTHON_PROGRAMS = [
  "podman-compose==1.6.0 --hash=sha256:98e48af25d44c10ecef948163bfcca002e32aa8bbb7e66593fbd4faff7270c30",
]

/** Distribution packages of every image, by what they are for. */
const basePackages = {
  system:
    "systemd systemd-sysv dbus dbus-user-session kmod e2fsprogs busybox-static procps psmisc iproute2 netbase tzdata",
  shell:
    "bash-completion sudo less nano htop file jq tmux curl rsync openssh-client iputils-ping xz-utils unzip ripgrep",
  backups: "restic",
  development: "git gh python3 python3-pip python3-venv ca-certificates openssl",
  // For devcontainers, as the user: no daemon runs, and nothing in a container is root of the machine.
  containers:
    "podman podman-docker uidmap slirp4netns fuse-overlayfs crun netavark aardvark-dns python3-dotenv python3-yaml",
  door: "nginx libnginx-mod-stream tinyproxy-bin",
  display: "xvfb x11vnc x11-xserver-utils x11-utils xclip xauth fluxbox xterm",
  fonts: "fonts-inter fonts-jetbrains-mono fonts-dejavu-core fonts-liberation fonts-noto-color-emoji",
  browser: "chromium chromium-sandbox",
  // What Electron links against; Chromium brings most of it anyway, so both profiles share one base.
  electron:
    "libgtk-3-0 libnotify4 libnss3 libxss1 libxtst6 libatspi2.0-0 libsecret-1-0 libgbm1 libasound2 libdrm2 xdg-utils",
}

/** The images there are. */
export const PROFILES: Record<ProfileName, Profile> = {
  desktop: { name: "desktop", packages: [], units: ["foozol-app.service", "foozol-terminal.service"] },
  browser: { name: "browser", packages: [], units: ["foozol-browser.service", "foozol-terminal.service"] },
}

/** Names that a distribution gives to packages that the definition knows by Debian's name. */
const renamed: Record<string, Record<string, string>> = {
  debian: {},
  ubuntu: {
    "libgtk-3-0": "libgtk-3-0t64",
    "libatspi2.0-0": "libatspi2.0-0t64",
    libasound2: "libasound2t64",
    // Ubuntu's own is a snap, which needs a service that takes longer to start than the desktop.
    chromium: "",
    "chromium-sandbox": "",
  },
}

/** The package that leads to the newest kernel of a distribution: one made for virtual machines. */
export const kernelPackages: Record<string, string> = {
  debian: "linux-image-cloud-amd64",
  ubuntu: "linux-image-virtual",
}

/** Packages of a profile under the names of a distribution, sorted. Pure. */
export function packagesOf(profile: Profile, distribution: string): string[] {
  const names = [...Object.values(basePackages).flatMap(line => line.split(" ")), ...profile.packages]
  const known = renamed[distribution] ?? {}
  return [...new Set(names.map(name => known[name] ?? name))].filter(name => name !== "").sort()
}
