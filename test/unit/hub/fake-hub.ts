import { test } from 'vitest'
import { cidOfStructure } from '../../../protocols/encoding.ts'
import { decodeStatement, type Statement } from '../../../protocols/statement.ts'
import { manualClock, nowSeconds } from '../../../src/base/clock.ts'
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
import { newSigner } from '../../fixtures/mesh/gossip-services.ts'

const ended = (exitCode: number, ...lines: string[]): ScanEnd => ({ exitCode, reason: 'exit', lines })
export const CLEAN = ended(0)
export const FOUND = ended(1, 'something bad')
export const UNDECIDED = ended(3, 'it does not fit')
export const BROKEN = ended(2)

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
function hubOf(change: Partial<HubInit> = {}) {
  const clock = manualClock()
  const events = createEvents<HubEvents>()
  const reported: { [Name in keyof HubEvents]: { event: Name } & HubEvents[Name] }[keyof HubEvents][] = []
  events.onAny((name, detail) => reported.push({ event: name, ...detail } as never))
  const listeners = new Set<(service: HubService) => void>()
  const live = new Map<string, HubService>()
  const images = new Set<string>()
  const published: Statement[] = []
  const words = new Map<string, OwnAttestation>()
  const scans: string[] = []
  const held = { now: 0, most: 0 }
  const answers = {
    /** `id` is the service's, from its description */
    scan: async (_task: ScanTask & { id: string }, _options: { signal: AbortSignal }): Promise<ScanEnd> => CLEAN,
    obtain: async (_service: HubService): Promise<void> => {},
    recall: async (_code: string): Promise<void> => {},
  }
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
        const { id } = task.description as { id: string }
        scans.push(id)
        return answers.scan({ ...task, id }, options)
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
    signer: newSigner(),
    scanners: [SCANNER],
    validSeconds: 30 * 86_400,
    concurrency: 2,
    ...change,
  }
  const hub = createHub(components, init)
  const add = (name: string, code = codeOf(name), expires = nowSeconds(clock) + 20 * 86_400): HubService => {
    const service = { id: name, name, code, expires }
    live.set(name, service)
    return service
  }
  return {
    ...{ hub, clock, reported, published, words, scans, held, answers, images, add },
    /** Begins with these services known, and waits until it has looked at them. */
    async boot(...names: string[]): Promise<void> {
      for (const name of names) add(name)
      hub.boot()
      await hub.idle()
    },
    async receive(service: HubService): Promise<HubService> {
      for (const listener of listeners) listener(service)
      await clock.advance(0)
      return service
    },
    say: () => published.map(({ body }) => ('verdict' in body ? body.verdict : undefined)),
    names: (event: keyof HubEvents) => reported.filter((one) => one.event === event).map(({ name }) => name),
  }
}

/** A test with hubs that end with it. */
export const it = test
  .extend('hubOf', ({ onTestFinished }) => (change?: Partial<HubInit>) => {
    const world = hubOf(change)
    onTestFinished(() => world.hub[Symbol.asyncDispose]())
    return world
  })
  .extend('world', ({ hubOf }) => hubOf())
