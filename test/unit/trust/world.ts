import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'vitest'
import { createKeyCache } from '../../../protocols/signature.ts'
import { manualClock } from '../../../src/base/clock.ts'
import { createEvents } from '../../../src/base/events.ts'
import { silentLog } from '../../../src/base/log.ts'
import { seededRng } from '../../../src/base/rng.ts'
import { readPolicy } from '../../../src/config/index.ts'
import { openJournal } from '../../../src/journal/index.ts'
import * as trusting from '../../../src/trust/index.ts'
import { hubs, NETWORK, NOW, own, subject, text } from './fixtures.ts'

export const policyOf = (raw: object): trusting.TrustPolicy => readPolicy(raw).policy.config

/** Three hubs, two of whom must agree. */
export const THREE_HUBS = policyOf({ TRUSTED_HUBS: Object.fromEntries(hubs.map((hub) => [text(hub), { WEIGHT: 5 }])) })

export const gossip = { via: 'gossip', from: 'peer' } as const
export const sync = { via: 'sync', from: 'peer' } as const

type Init = { path?: string; clock?: ReturnType<typeof manualClock> } & Partial<
  trusting.TrustComponents & trusting.TrustStoreComponents
>
export type World = ReturnType<typeof world>

/** The trust part of a node, over a journal and a mesh that do as a test says. */
export function world(policy = THREE_HUBS, { path = ':memory:', clock = manualClock(NOW * 1000), ...init }: Init = {}) {
  const log = silentLog()
  const journal = openJournal({ path, clock, log })
  const events = createEvents<trusting.TrustEvents>()
  const happened: [string, unknown][] = []
  events.onAny((name, detail) => void happened.push([name, detail]))
  const state = {
    policy,
    servicesInUse: [] as trusting.ServiceInUse[],
    /** no peer takes or receives anything */
    alone: false,
    liveCode: true,
    /** what lies in the mesh's records */
    records: new Map<string, Uint8Array[]>(),
    asked: [] as string[],
    put: [] as { key: string; value: Uint8Array }[],
    published: [] as Uint8Array[],
    /** how often it was tried to publish to the topic */
    attempts: 0,
  }
  const shared = { clock, log, rng: seededRng('trust'), events }
  const hasLiveCode = () => state.liveCode
  const store = trusting.createTrustStore(
    { ...shared, statements: journal.statements, keys: createKeyCache(), hasLiveCode, ...init },
    { network: NETWORK, own: own.address, policy: () => state.policy },
  )
  const answers = () => {
    if (state.alone) throw new Error('nobody is there')
  }
  const trust = trusting.createTrust(store, {
    ...shared,
    records: {
      async *find(key) {
        state.asked.push(key)
        answers()
        yield* state.records.get(key) ?? []
      },
      async put(key, value) {
        answers()
        return state.put.push({ key, value })
      },
    },
    mesh: {
      async publish(statement) {
        state.attempts++
        answers()
        state.published.push(statement)
      },
    },
    ...init,
  })
  return Object.assign(state, {
    trust: { ...trust, boot: () => trust.boot(() => state.servicesInUse) },
    /** Statements arrive, one after another; what became of each. */
    take: (...all: Uint8Array[]) => all.map((one) => trust.take(one, sync)),
    facts: () => trust.factsOf(subject()),
    clock,
    journal,
    /** of a kind, in order */
    reported: <Name extends keyof trusting.TrustEvents>(wanted: Name) =>
      happened.flatMap(([name, detail]) => (name === wanted ? [detail as trusting.TrustEvents[Name]] : [])),
    async [Symbol.asyncDispose]() {
      await trust[Symbol.asyncDispose]()
      store[Symbol.dispose]()
      journal[Symbol.dispose]()
    },
  })
}

/** A test with a node that trusts three hubs, or with the path of a journal in a folder of its own. */
export const it = test
  .extend('here', ({ onTestFinished }) => {
    const here = world()
    onTestFinished(() => here[Symbol.asyncDispose]())
    return here
  })
  .extend('trust', ({ here }) => here.trust)
  .extend('validate', ({ trust }) => trust.validateGossip)
  .extend('path', ({ onTestFinished }) => {
    const folder = mkdtempSync(join(tmpdir(), 'tc-t-trust-'))
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
    return join(folder, 'journal.db')
  })
