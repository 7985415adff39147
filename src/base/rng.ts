import { createHash, randomBytes, randomInt, randomUUID } from 'node:crypto'

/** Chance, as the house sees it: the system's in a node, seeded in tests and simulations. */
export interface Rng {
  bytes(count: number): Uint8Array
  /** A whole number in [0, below). */
  int(below: number): number
  /** A number in [0, 1). */
  fraction(): number
  uuid(): string
}

export function systemRng(): Rng {
  return {
    bytes: (count) => Uint8Array.from(randomBytes(count)),
    int: (below) => randomInt(below),
    fraction: () => randomInt(2 ** 47) / 2 ** 47,
    uuid: () => randomUUID(),
  }
}

/** The same sequence for the same seed, on every machine (SHA-256 in counter mode). */
export function seededRng(seed: string): Rng {
  let counter = 0
  const block = () => createHash('sha256').update(`${seed}/${counter++}`).digest()
  const fraction = () => block().readUIntBE(0, 6) / 2 ** 48
  const bytes = (count: number) => {
    const all = Buffer.concat(Array.from({ length: Math.ceil(count / 32) }, block))
    return Uint8Array.from(all.subarray(0, count))
  }
  return {
    bytes,
    fraction,
    int: (below) => Math.floor(fraction() * below),
    uuid: () =>
      Buffer.from(bytes(16))
        .toString('hex')
        .replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5'),
  }
}
