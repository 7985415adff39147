import { createRequire, syncBuiltinESMExports } from 'node:module'

/** A call whose end comes at a time that no seed decides. */
export class NondeterministicCallError extends Error {
  override readonly name = 'NondeterministicCallError'

  constructor(call: string) {
    super(`a simulation cannot call ${call}: the machine decides when that ends; hand in a simulated part instead`)
  }
}

/**
 * From here on, whatever threads of libuv, the kernel or another process complete throws, and names the call. Called when
 * everything is imported: Node.js reads modules so, too. `onCall` hears of it where the caller catches the error.
 */
export function forbidNondeterminism(onCall: (error: NondeterministicCallError) => void): void {
  const forbid = (name: string, object: object, methods: readonly string[]) => {
    for (const method of methods.filter((method) => typeof Reflect.get(object, method) === 'function')) {
      const value = () => {
        const error = new NondeterministicCallError(`${name}.${method}`)
        onCall(error)
        throw error
      }
      Object.defineProperty(object, method, { value, configurable: true, writable: true, enumerable: true })
    }
  }
  const forbidIn = (module: string, methods: (names: string[]) => readonly string[]) => {
    const object = process.getBuiltinModule(module) as object
    forbid(module, object, methods(Object.keys(object)))
  }
  const all = (names: string[]) => names
  const lookups = (names: string[]) => names.filter((name) => /^(lookup|resolve|reverse)/.test(name))
  /** those that have a twin which does it at once */
  const withTwin = (names: string[]) => names.filter((name) => names.includes(`${name}Sync`))

  forbid('LevelDB', levelPrototype(), ['open'])
  forbidIn('fs/promises', all)
  forbidIn('fs', (names) => [...withTwin(names), 'createReadStream', 'createWriteStream', 'watch', 'watchFile'])
  forbidIn('zlib', (names) => [...withTwin(names), ...names.filter((name) => name.startsWith('create'))])
  forbidIn('child_process', all)
  forbidIn('crypto', () => ['pbkdf2', 'scrypt', 'hkdf', 'argon2', 'generateKeyPair', 'generateKey', 'randomFill'])
  forbidIn('dns', lookups)
  forbidIn('dns/promises', lookups)
  forbidIn('net', () => ['connect', 'createConnection'])
  forbidIn('tls', () => ['connect'])
  forbidIn('http', () => ['request', 'get'])
  forbidIn('https', () => ['request', 'get'])
  forbidIn('http2', () => ['connect'])
  forbidIn('dgram', () => ['createSocket'])
  forbidIn('worker_threads', () => ['Worker', 'MessageChannel', 'BroadcastChannel'])
  forbidCallbacks(onCall)
  const { Socket, Server } = process.getBuiltinModule('net')
  forbid('net.Socket', Socket.prototype, ['connect'])
  forbid('net.Server', Server.prototype, ['listen'])
  const subtle = Object.getPrototypeOf(globalThis.crypto.subtle)
  forbid('crypto.subtle', subtle, Object.keys(subtle))
  forbid('globalThis', globalThis, ['fetch'])
  syncBuiltinESMExports()
}

/** These work at once, but where they are given a callback. */
function forbidCallbacks(onCall: (error: NondeterministicCallError) => void): void {
  const crypto = process.getBuiltinModule('crypto')
  for (const method of ['sign', 'verify', 'randomBytes', 'randomInt', 'checkPrime'] as const) {
    const atOnce = crypto[method] as (...parameters: unknown[]) => unknown
    const value = (...parameters: unknown[]) => {
      if (typeof parameters.at(-1) !== 'function') return atOnce(...parameters)
      const error = new NondeterministicCallError(`crypto.${method} with a callback`)
      onCall(error)
      throw error
    }
    Object.defineProperty(crypto, method, { value, configurable: true, writable: true, enumerable: true })
  }
}

/** Of the class that opens a database: no package of ours, but of the datastore. */
function levelPrototype(): object {
  const library = 'level'
  const { Level } = createRequire(import.meta.resolve('datastore-level'))(library) as { Level: { prototype: object } }
  return Object.getPrototypeOf(Level.prototype)
}
