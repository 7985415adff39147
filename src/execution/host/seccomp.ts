// Ours, not a library: a filter is a list of numbers for bubblewrap, and a library for it would have to be compiled.

import {
  ABSENT_CALLS,
  CLONE,
  DENIED_CALLS,
  NEW_NAMESPACES,
  SOCKET,
  SOCKET_FAMILIES,
  UNCOUNTED_CALLS,
} from '../seccomp/denials.ts'

/**
 * What a sandboxed service may ask of the kernel: everything but what makes namespaces, mounts, keys, kernel modules and
 * tracing programs, and sockets that no network namespace contains (AF_VSOCK leads from a virtual machine to its host).
 * Docker's default profile does the same for containers. A classic BPF program, as seccomp(2) reads it.
 */
const ARCHITECTURES = {
  x64: { audit: 0xc000003e, column: 0 },
  arm64: { audit: 0xc00000b7, column: 1 },
} as const

/** On x86-64, numbers from here on are the x32 spelling of the same calls. */
const X32 = 0x40000000

const ERRNO = { EPERM: 1, ENOSYS: 38, EAFNOSUPPORT: 97 }
const ALLOW = 0x7fff0000
const FAIL = 0x00050000
/** Places in struct seccomp_data: the call's number, its architecture, the low half of its first argument. */
const AT = { number: 0, architecture: 4, argument: 16 }
const OP = { load: 0x20, equal: 0x15, atLeast: 0x35, anyBit: 0x45, answer: 0x06 }

type Instruction = readonly [code: number, ifTrue: number, ifFalse: number, value: number]

/** The program for this machine; undefined where there is none for its processor. `counted`: a cgroup counts memory. */
export function seccompFilter({ counted }: { counted: boolean }, arch: string = process.arch): Buffer | undefined {
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
    ...Object.values(DENIED_CALLS).flatMap((numbers) => when(numbers[column], [fail(ERRNO.EPERM)])),
    ...Object.values(counted ? ABSENT_CALLS : { ...ABSENT_CALLS, ...UNCOUNTED_CALLS }).flatMap((numbers) =>
      when(numbers[column], [fail(ERRNO.ENOSYS)]),
    ),
    ...when(CLONE[column], [load(AT.argument), [OP.anyBit, 0, 1, NEW_NAMESPACES], fail(ERRNO.EPERM), allow]),
    ...when(SOCKET[column], [
      load(AT.argument),
      ...SOCKET_FAMILIES.flatMap((family): Instruction[] => when(family, [allow])),
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
