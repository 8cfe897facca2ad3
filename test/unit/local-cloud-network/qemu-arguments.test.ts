import assert from "node:assert/strict"
import { macAddress, type QemuHost, qemuArguments } from "../../../local-cloud/machines/qemu/qemu-arguments.ts"
import { testMachine } from "../../support/test-machine.ts"

const config = testMachine(258, { name: "a,b", ipv4: "127.77.1.2", cores: 2, memoryBytes: 1024 ** 3 })
const host: QemuHost = { accel: "tcg", metadataConnector: "nc -U ", forwards: [], boot: null }

describe("qemuArguments()", () => {
  it("builds the whole command line of a machine", () => {
    const forwards: QemuHost["forwards"] = [
      { protocol: "tcp", address: "127.77.1.2", hostPort: 10_443, guestPort: 443 },
      { protocol: "udp", address: "127.77.1.2", hostPort: 5000, guestPort: 5000 },
    ]
    const boot = {
      kernel: "../../images/1/kernel",
      initrd: "../../images/1/initrd",
      commandLine: "root=/dev/vda quiet",
    }
    assert.deepEqual(qemuArguments(config, { ...host, forwards, boot }), [
      "-name",
      "a,,b",
      "-machine",
      "q35,vmport=off,smm=off,memory-backend=ram",
      "-accel",
      "tcg,thread=multi",
      "-cpu",
      "max,-erms,-fsrm",
      "-smp",
      "2",
      "-m",
      "1024M",
      "-object",
      "memory-backend-ram,id=ram,size=1024M",
      "-smbios",
      "type=1,manufacturer=Hetzner,product=vServer,serial=258",
      "-nodefaults",
      "-no-user-config",
      "-display",
      "none",
      "-sandbox",
      "on,obsolete=deny,resourcecontrol=deny",
      "-pidfile",
      "qemu.pid",
      "-chardev",
      "socket,id=qmp,path=qmp.sock,server=on,wait=off",
      "-mon",
      "chardev=qmp,mode=control",
      "-chardev",
      "file,id=console,path=console.log,append=on",
      "-serial",
      "chardev:console",
      "-blockdev",
      "driver=file,node-name=disk-file,filename=disk.qcow2,discard=unmap",
      "-blockdev",
      "driver=qcow2,node-name=disk,file=disk-file,discard=unmap",
      "-device",
      "virtio-blk-pci,drive=disk",
      "-device",
      "virtio-scsi-pci,id=volumes",
      "-netdev",
      "user,id=net,ipv6=off,net=169.254.0.0/16,host=169.254.0.2,dns=169.254.0.3,dhcpstart=169.254.0.15," +
        "guestfwd=tcp:169.254.169.254:80-cmd:nc -U metadata.sock," +
        "hostfwd=tcp:127.77.1.2:10443-:443,hostfwd=udp:127.77.1.2:5000-:5000",
      "-device",
      "virtio-net-pci,netdev=net,mac=92:00:00:00:01:02,romfile=",
      "-object",
      "rng-random,id=rng,filename=/dev/urandom",
      "-device",
      "virtio-rng-pci,rng=rng",
      "-rtc",
      "base=utc",
      "-kernel",
      "../../images/1/kernel",
      "-initrd",
      "../../images/1/initrd",
      "-append",
      "root=/dev/vda quiet",
    ])
  })

  it("uses the host's processor with KVM and boots from the disk without a kernel", () => {
    const args = qemuArguments(config, { ...host, accel: "kvm" })
    assert.deepEqual(args.slice(args.indexOf("-accel"), args.indexOf("-smp")), ["-accel", "kvm", "-cpu", "host"])
    assert.ok(!args.includes("-kernel"))
  })

  it("opens no port without an address, and refuses addresses that others can reach", () => {
    assert.ok(
      !qemuArguments({ ...config, ipv4: null }, host)
        .join(" ")
        .includes("hostfwd"),
    )
    assert.throws(() => qemuArguments({ ...config, ipv4: "192.0.2.1" }, host), /only loopback/)
    assert.throws(() => qemuArguments({ ...config, ipv4: "127.0.0.1,hostfwd=x" }, host), /only loopback/)
  })

  it("takes an interface of its own instead of forwards, with an address that others can reach", () => {
    const args = qemuArguments({ ...config, ipv4: "203.0.113.5" }, { ...host, tap: "fz5" })
    assert.equal(args[args.indexOf("-netdev") + 1], "tap,id=net,ifname=fz5,script=no,downscript=no")
    assert.ok(!args.join(" ").includes("guestfwd"))
  })

  it("starts with the volumes a machine has, each known by its id", () => {
    const args = qemuArguments({ ...config, volumes: [{ id: 77, bytes: 1 }] }, host).join(" ")
    assert.match(args, /-blockdev driver=file,node-name=volume-77-file,filename=\.\.\/\.\.\/volumes\/77\.raw/)
    assert.match(args, /-device scsi-hd,bus=volumes\.0,id=volume-77,drive=volume-77,serial=77/)
  })

  it("gives each id an address of its own", () => {
    assert.equal(macAddress(0xdeadbeef), "92:00:de:ad:be:ef")
  })
})
