import { InputError } from '../base/errors.ts'
import { parseBytes } from '../base/format.ts'
import type { Option } from './command.ts'

/** A size like "512MiB"; the handler gets bytes. */
export function bytes(describe: string, fallback: string): Option<number> {
  return {
    takes: 'SIZE',
    describe: `${describe} (default: ${fallback})`,
    read: (given, name) => sizeOf(String(given ?? fallback), name),
  }
}

/** The same where there is no size to fall back to. */
export function optionalBytes(describe: string): Option<number | undefined> {
  return {
    takes: 'SIZE',
    describe,
    read: (given, name) => (given === undefined ? undefined : sizeOf(String(given), name)),
  }
}

function sizeOf(text: string, name: string): number {
  const value = parseBytes(text)
  if (value !== undefined && Number.isSafeInteger(value) && value > 0) return value
  throw new InputError(`${name} is ${JSON.stringify(text)}; allowed is a size like "512MiB" or "2GiB"`)
}

/** More no node takes. */
const MAX_CORES = 1000

/** Cores like "0.5"; the handler gets thousandths. */
export function cores(describe: string, fallback: string): Option<number> {
  return {
    takes: 'CORES',
    describe: `${describe} (default: ${fallback})`,
    read(given, name) {
      const text = String(given ?? fallback)
      const value = /^\d{1,4}(\.\d{1,3})?$/.test(text) ? Math.round(Number(text) * 1000) : 0
      if (value > 0 && value <= MAX_CORES * 1000) return value
      throw new InputError(
        `${name} is ${JSON.stringify(given)}; allowed are cores like "0.5" or "2", ${MAX_CORES} at most`,
      )
    },
  }
}
