import crypto, { createHash } from 'node:crypto'
import { syncBuiltinESMExports } from 'node:module'
import timers from 'node:timers'
import * as fakeTimers from '@sinonjs/fake-timers'

/** What every simulation begins with, in ms since 1970. */
const START_MS = 1_800_000_000_000

/** Time and chance of this process, which are replaced before anything else is imported. */
export interface Globals {
  /** Fires the first timer that is set, at its time; false where there is none. */
  fireNext(): boolean
  /** How many timers are set. */
  timers(): number
  /** Resolves when nothing is left to do before the next timer: no microtask, no immediate. */
  drained(): Promise<void>
  /** From here on, chance follows from this. */
  seed(text: string): void
}

/** Libraries call the globals of the process, and import functions of Node.js: both get these. */
export function replaceGlobals(): Globals {
  const realImmediate = globalThis.setImmediate
  const clock = fakeTimers.install({
    now: START_MS,
    toFake: ['Date', 'performance', 'hrtime', 'setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'],
  })
  makeTimersCloseable()
  const immediates = countImmediates()
  const random = createRandom()
  replaceRandom(random)
  replaceTimeoutSignal()
  Object.assign(timers, {
    setTimeout: globalThis.setTimeout,
    clearTimeout: globalThis.clearTimeout,
    setInterval: globalThis.setInterval,
    clearInterval: globalThis.clearInterval,
    setImmediate: globalThis.setImmediate,
    clearImmediate: globalThis.clearImmediate,
  })
  syncBuiltinESMExports()
  return {
    fireNext() {
      if (clock.countTimers() === 0) return false
      clock.next()
      return true
    },
    timers: () => clock.countTimers(),
    async drained() {
      // when an immediate runs, everything that was ready before it has had its turn
      do await new Promise<void>((resolve) => void realImmediate(resolve))
      while (immediates.waiting > 0)
    },
    seed: random.seed,
  }
}

/** Timers of Node.js have it, those of the library do not. */
function makeTimersCloseable(): void {
  const set = globalThis.setTimeout
  globalThis.setTimeout = ((...parameters: Parameters<typeof setTimeout>) => {
    const timer = set(...parameters)
    return Object.assign(timer, { close: () => clearTimeout(timer) })
  }) as typeof setTimeout
}

/** They stay real, for they wait for nothing, and are counted. */
function countImmediates(): { readonly waiting: number } {
  const { setImmediate: set, clearImmediate: clear } = globalThis
  const waiting = new Set<NodeJS.Immediate>()
  globalThis.setImmediate = ((callback: (...parameters: unknown[]) => void, ...parameters: unknown[]) => {
    const immediate = set(() => {
      waiting.delete(immediate)
      callback(...parameters)
    })
    waiting.add(immediate)
    return immediate
  }) as typeof setImmediate
  globalThis.clearImmediate = (immediate) => {
    if (immediate !== undefined) waiting.delete(immediate)
    clear(immediate)
  }
  return {
    get waiting() {
      return waiting.size
    },
  }
}

interface Random {
  seed(text: string): void
  /** Fills `bytes` with what follows from the seed. */
  fill(bytes: Uint8Array): void
}

/** SHA-256 in counter mode. */
function createRandom(): Random {
  let seed = ''
  let counter = 0
  let block: Uint8Array = new Uint8Array(0)
  return {
    seed(text) {
      seed = text
      counter = 0
      block = new Uint8Array(0)
    },
    fill(bytes) {
      for (let filled = 0; filled < bytes.byteLength; ) {
        if (block.byteLength === 0) block = createHash('sha256').update(`${seed}/${counter++}`).digest()
        const piece = block.subarray(0, bytes.byteLength - filled)
        bytes.set(piece, filled)
        filled += piece.byteLength
        block = block.subarray(piece.byteLength)
      }
    },
  }
}

function replaceRandom({ fill }: Random): void {
  const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView) =>
    new Uint8Array(buffer, byteOffset, byteLength)
  const filled = <View extends ArrayBufferView>(view: View): View => {
    fill(bytesOf(view))
    return view
  }
  const randomBytes = (size: number) => filled(Buffer.alloc(size))
  const fraction = () => randomBytes(6).readUIntBE(0, 6) / 2 ** 48
  const randomInt = (low: number, high?: number) => {
    const [min, max] = high === undefined ? [0, low] : [low, high]
    return min + Math.floor(fraction() * (max - min))
  }
  const randomUUID = () => {
    const bytes = randomBytes(16)
    bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40
    bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80
    return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
  }
  Math.random = fraction
  replace(crypto, { randomBytes, randomInt, randomUUID, randomFillSync: filled })
  replace(Object.getPrototypeOf(globalThis.crypto), { getRandomValues: filled, randomUUID })
}

function replace(object: object, properties: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(properties)) {
    Object.defineProperty(object, name, { value, configurable: true, enumerable: true, writable: true })
  }
}

function replaceTimeoutSignal(): void {
  AbortSignal.timeout = (ms) => {
    const controller = new AbortController()
    setTimeout(() => controller.abort(new DOMException('The operation was aborted due to timeout', 'TimeoutError')), ms)
    return controller.signal
  }
}
