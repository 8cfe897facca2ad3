/** Where a machine of the local cloud without an address of its own finds the loopback of its host (qemu-arguments.ts). */
export const HOST_FROM_MACHINES = "169.254.0.2"
