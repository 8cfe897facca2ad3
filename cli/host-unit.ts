/** The local cloud as a systemd unit of a server that its operator runs for others. */
import { PROJECT_ROOT } from "../tools/setup/paths.ts"

/** Names and places of an installation; all are absolute paths but the user and the unit. */
export const HOST = {
  unit: "foozol-host.service",
  unitFile: "/etc/systemd/system/foozol-host.service",
  settings: "/etc/foozol/host.json",
  /** `FOOZOL_DATA` of commands that talk to it. */
  data: "/var/lib/foozol-host",
  user: "foozol-host",
} as const

export interface HostUnit {
  /** The Node program that runs it. */
  node: string
  /** A group that may use /dev/kvm; null where there is none. */
  kvmGroup: string | null
  /** Machines have addresses of their own: it may change the host's network. */
  ownAddresses: boolean
}

/** The unit file. Pure. */
export function hostUnit({ node, kvmGroup, ownAddresses }: HostUnit): string {
  const main = `${PROJECT_ROOT}/local-cloud/main.ts`
  const options = `--directory ${HOST.data}/local-cloud --settings ${HOST.settings} --port 8180 --no-sign-in`
  const rights = `CAP_NET_BIND_SERVICE${ownAddresses ? " CAP_NET_ADMIN" : ""}`
  const devices = ["/dev/kvm", ...(ownAddresses ? ["/dev/net/tun"] : [])]
  const forMachines = ownAddresses
    ? "# It listens for DHCP, and makes interfaces and rules; machines' processes get none of these rights."
    : "# Low ports are listened on for machines by QEMU itself."
  return `# Made by \`foozol-cloud local install\`; changes belong into ${HOST.unit}.d/*.conf.
[Unit]
Description=foozol Cloud: virtual machines of this host
After=network-online.target
Wants=network-online.target
StartLimitIntervalSec=0

[Service]
User=${HOST.user}
Group=${HOST.user}
${kvmGroup === null ? "" : `SupplementaryGroups=${kvmGroup}\n`}WorkingDirectory=${HOST.data}
StateDirectory=foozol-host
StateDirectoryMode=0700
ExecStart=${node} --disable-warning=ExperimentalWarning ${main} ${options}
Restart=always
RestartSec=2
# Machines are processes of this unit and outlive it: a restart or an upgrade leaves them alone.
KillMode=process
# One that is ended for want of memory is no reason to end the others.
OOMPolicy=continue
# When the host shuts down, machines get 90 s to do so first.
TimeoutStopSec=120
UMask=0077
LimitNOFILE=1048576
TasksMax=infinity

${forMachines}
AmbientCapabilities=${rights}
CapabilityBoundingSet=${rights}
NoNewPrivileges=yes
ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes
DevicePolicy=closed
${devices.map(device => `DeviceAllow=${device} rw`).join("\n")}
ProtectProc=invisible
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectKernelLogs=yes
ProtectControlGroups=yes
ProtectClock=yes
ProtectHostname=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
SystemCallArchitectures=native

[Install]
WantedBy=multi-user.target
`
}

const GB = 1e9

/**
 * The settings a new installation begins with: server types as they are, four virtual cores for each real one, and nine
 * tenths of what the disk has free promised.
 */
export function firstHostSettings(freeDiskBytes: number): string {
  const settings = {
    scale: { memory: 1, cores: 1, disk: 1 },
    listen: { metrics: "127.0.0.1:9465" },
    capacity: { coresPerCore: 4, diskGb: Math.max(1, Math.floor((freeDiskBytes * 0.9) / GB)) },
  }
  return `${JSON.stringify(settings, null, 2)}\n`
}
