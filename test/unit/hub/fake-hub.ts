import { generateKeyPairSync } from 'node:crypto'
import { cidOfStructure } from '../../../protocols/encoding.ts'
import { ed25519Signer } from '../../../protocols/signature.ts'
import { decodeStatement, encodeStatement, type Statement } from '../../../protocols/statement.ts'
import { manualClock } from '../../../src/base/clock.ts'
import { createEvents } from '../../../src/base/events.ts'
import { silentLog } from '../../../src/base/log.ts'
import { seededRng } from '../../../src/base/rng.ts'
import {
  createHub,
  type HubComponents,
  type HubEvents,
  type HubInit,
  type HubService,
  type OwnAttestation,
  type ScanEnd,
  type Scanner,
  type ScanTask,
} from '../../../src/hub/index.ts'

export const CLEAN: ScanEnd = { exitCode: 0, reason: 'exit', lines: [] }
export const FOUND: ScanEnd = { exitCode: 1, reason: 'exit', lines: ['something bad'] }
export const UNDECIDED: ScanEnd = { exitCode: 3, reason: 'exit', lines: ['it does not fit'] }
export const BROKEN: ScanEnd = { exitCode: 2, reason: 'exit', lines: [] }

export const SCANNER: Scanner = {
  name: 'mine',
  command: ['scan'],
  shows: [],
  memoryBytes: 64 * 2 ** 20,
  diskBytes: 0,
  timeoutMs: 10_000,
}

export function codeOf(name: string): string {
  return cidOfStructure(new TextEncoder().encode(name)).toString()
}

/** A hub whose mesh, code and sandbox are lists and answers of a test. */
export function hubOf(change: Partial<HubInit> = {}) {
  const clock = manualClock()
  const events = createEvents<HubEvents>()
  const told: { [Name in keyof HubEvents]: { event: Name } & HubEvents[Name] }[keyof HubEvents][] = []
  events.onAny((name, detail) => told.push({ event: name, ...detail } as never))
  const listeners = new Set<(service: HubService) => void>()
  const live = new Map<string, HubService>()
  const images = new Set<string>()
  const published: Statement[] = []
  const words = new Map<string, OwnAttestation>()
  const scans: string[] = []
  const held = { now: 0, most: 0 }
  const answers = {
    scan: async (_task: ScanTask, _options: { signal: AbortSignal }): Promise<ScanEnd> => CLEAN,
    obtain: async (_service: HubService): Promise<void> => {},
    recall: async (_code: string): Promise<void> => {},
  }
  const signer = ed25519Signer(generateKeyPairSync('ed25519').privateKey)
  const components: HubComponents = {
    clock,
    rng: seededRng('hub'),
    log: silentLog(),
    events,
    services: {
      onNew(listener) {
        listeners.add(listener)
        return { [Symbol.dispose]: () => void listeners.delete(listener) }
      },
      live: () => live.values(),
      describe: (id) => (live.has(id) ? { image: images.has(id), manifest: { id } } : undefined),
    },
    async obtain(service) {
      await answers.obtain(service)
      held.now++
      held.most = Math.max(held.most, held.now)
      return { dir: service.code, release: () => void held.now-- }
    },
    sandbox: {
      scan(task, options) {
        scans.push((task.description as { id: string }).id)
        return answers.scan(task, options)
      },
    },
    known: (code) => words.get(code),
    recall: async (code) => answers.recall(code),
    async publish(encoded) {
      const statement = decodeStatement(encoded)
      if (statement.kind !== 'attestation') throw new Error('no attestation')
      published.push(statement)
      const { code, verdict, seq, expires } = statement.body
      words.set(code.toString(), { verdict, seq, expires })
    },
  }
  const init: HubInit = {
    network: 'test',
    signer,
    scanners: [SCANNER],
    validSeconds: 30 * 86_400,
    concurrency: 2,
    ...change,
  }
  const hub = createHub(components, init)
  return {
    hub,
    clock,
    signer,
    told,
    published,
    words,
    scans,
    held,
    answers,
    images,
    add(name: string, code = codeOf(name), expires = clock.now() / 1000 + 20 * 86_400): HubService {
      const service = { id: name, name, code, expires: Math.floor(expires) }
      live.set(name, service)
      return service
    },
    async hear(service: HubService): Promise<void> {
      for (const listener of listeners) listener(service)
      await clock.advance(0)
    },
    say: () => published.map(({ body }) => ('verdict' in body ? body.verdict : undefined)),
    names: (event: keyof HubEvents) => told.filter((one) => one.event === event).map(({ name }) => name),
    encoded: () => published.map(encodeStatement),
  }
}
