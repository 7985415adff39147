/**
 * What a sandboxed service may ask of the kernel: everything but what makes namespaces, mounts, keys, kernel modules and
 * tracing programs, and sockets that no network namespace contains (AF_VSOCK leads from a virtual machine to its host).
 * Docker's default profile does the same for containers. A classic BPF program, as seccomp(2) reads it.
 */
const ARCHITECTURES = {
  x64: { audit: 0xc000003e, column: 0 },
  arm64: { audit: 0xc00000b7, column: 1 },
} as const

/** Numbers on x86-64 and on arm64. */
const DENIED: Readonly<Record<string, readonly [number, number]>> = {
  unshare: [272, 97],
  setns: [308, 268],
  mount: [165, 40],
  umount2: [166, 39],
  pivot_root: [155, 41],
  open_tree: [428, 428],
  move_mount: [429, 429],
  fsopen: [430, 430],
  fsconfig: [431, 431],
  fsmount: [432, 432],
  fspick: [433, 433],
  mount_setattr: [442, 442],
  add_key: [248, 217],
  request_key: [249, 218],
  keyctl: [250, 219],
  bpf: [321, 280],
  perf_event_open: [298, 241],
  userfaultfd: [323, 282],
  io_uring_setup: [425, 425],
  io_uring_enter: [426, 426],
  io_uring_register: [427, 427],
  name_to_handle_at: [303, 264],
  open_by_handle_at: [304, 265],
  kexec_load: [246, 104],
  kexec_file_load: [320, 294],
  init_module: [175, 105],
  finit_module: [313, 273],
  delete_module: [176, 106],
  reboot: [169, 142],
  swapon: [167, 224],
  swapoff: [168, 225],
  quotactl: [179, 60],
  acct: [163, 89],
  syslog: [103, 116],
}
const SOCKET = [41, 198] as const
const CLONE = [56, 220] as const
const CLONE3 = 435
/** AF_UNIX, AF_INET, AF_INET6, AF_NETLINK: all bound to the run's own network or file system. */
const FAMILIES = [1, 2, 10, 16]
/** CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET */
const NEW_NAMESPACES = 0x7e020000
/** On x86-64, numbers from here on are the x32 spelling of the same calls. */
const X32 = 0x40000000

const ERRNO = { EPERM: 1, ENOSYS: 38, EAFNOSUPPORT: 97 }
const ALLOW = 0x7fff0000
const FAIL = 0x00050000
/** Places in struct seccomp_data: the call's number, its architecture, the low half of its first argument. */
const AT = { number: 0, architecture: 4, argument: 16 }
const OP = { load: 0x20, equal: 0x15, atLeast: 0x35, anyBit: 0x45, answer: 0x06 }

type Instruction = readonly [code: number, ifTrue: number, ifFalse: number, value: number]

/** The program for this machine; undefined where there is none for its processor. */
export function seccompFilter(arch: string = process.arch): Buffer | undefined {
  if (arch !== 'x64' && arch !== 'arm64') return undefined
  const { audit, column } = ARCHITECTURES[arch]
  const load = (place: number): Instruction => [OP.load, 0, 0, place]
  const fail = (errno: number): Instruction => [OP.answer, 0, 0, FAIL | errno]
  const allow: Instruction = [OP.answer, 0, 0, ALLOW]
  const when = (call: number, then: readonly Instruction[]): Instruction[] => [
    [OP.equal, 0, then.length, call],
    ...then,
  ]
  const program: Instruction[] = [
    load(AT.architecture),
    [OP.equal, 1, 0, audit],
    fail(ERRNO.ENOSYS),
    load(AT.number),
    ...(arch === 'x64' ? ([[OP.atLeast, 0, 1, X32], fail(ERRNO.ENOSYS)] as const) : []),
    ...Object.values(DENIED).flatMap((numbers) => when(numbers[column], [fail(ERRNO.EPERM)])),
    // Its flags are behind a pointer, which no filter can follow; the C library then uses clone.
    ...when(CLONE3, [fail(ERRNO.ENOSYS)]),
    ...when(CLONE[column], [load(AT.argument), [OP.anyBit, 0, 1, NEW_NAMESPACES], fail(ERRNO.EPERM), allow]),
    ...when(SOCKET[column], [
      load(AT.argument),
      ...FAMILIES.flatMap((family): Instruction[] => when(family, [allow])),
      fail(ERRNO.EAFNOSUPPORT),
    ]),
    allow,
  ]
  const bytes = Buffer.alloc(program.length * 8)
  for (const [index, [code, ifTrue, ifFalse, value]] of program.entries()) {
    bytes.writeUInt16LE(code, index * 8)
    bytes.writeUInt8(ifTrue, index * 8 + 2)
    bytes.writeUInt8(ifFalse, index * 8 + 3)
    bytes.writeUInt32LE(value >>> 0, index * 8 + 4)
  }
  return bytes
}
