/**
 * Where machines of an image can be run. The checklist knows no cloud: whoever starts it hands one in. It is the
 * checklist that asks for the machine, and is not given one that runs already, since its own service, key and
 * addresses must be in the machine's user-data before it boots.
 */
export interface World {
  /** Starts a machine from an image's folder; resolves when it is on, not when it has booted. */
  start(wanted: WantedMachine): Promise<TestMachine>
}

export interface WantedMachine {
  /** Folder of the image: `disk.qcow2` and what it boots with. */
  directory: string
  hostname: string
  /** Its user-data, given the address by which it will reach the loopback of this computer. */
  userData(hostFromInside: string): string
  /**
   * TCP ports that nothing in front of the machine may hold back: what the machine itself refuses is to be seen, and
   * not what a firewall does.
   */
  ports: number[]
}

/** A machine that runs for the checklist alone. */
export interface TestMachine {
  /** Where one of its ports is found from here. */
  at(port: number): { host: string; port: number }
  /** The address by which the machine reaches the loopback of this computer. */
  hostFromInside: string
  /** Size of the disk it was given. */
  diskBytes: number
  /** What it has printed on its console. */
  console(): Promise<string>
  /** Turns it off and leaves nothing of it. */
  remove(): Promise<void>
}
