import { test } from 'vitest'
import { addressBytes, formatAddress } from '../../../protocols/address.ts'
import { encodeAttestation } from '../../../protocols/attestation.ts'
import { encodeDelegation } from '../../../protocols/delegation.ts'
import { type CID, cidOfStructure } from '../../../protocols/encoding.ts'
import { encodeFreeze } from '../../../protocols/freeze.ts'
import { createKeyCache, type Signer } from '../../../protocols/signature.ts'
import { encodeStatement, signStatement } from '../../../protocols/statement.ts'
import { signerOf } from '../../../scripts/vectors/kit/kit.ts'
import { type ManualClock, manualClock } from '../../../src/base/clock.ts'
import { createEvents } from '../../../src/base/events.ts'
import { silentLog } from '../../../src/base/log.ts'
import { seededRng } from '../../../src/base/rng.ts'
import { readPolicy } from '../../../src/config/index.ts'
import { type Journal, openJournal } from '../../../src/journal/index.ts'
import {
  createTrust,
  createTrustStore,
  type ServiceInUse,
  type Trust,
  type TrustComponents,
  type TrustEvents,
  type TrustPolicy,
  type TrustStoreComponents,
} from '../../../src/trust/index.ts'

export const NETWORK = 'vectors'
export const NOW = 1_770_000_000
export const NOW_MS = NOW * 1000
const DAY = 86_400

export const own = signerOf('node')
export const hubs = ['hub 1', 'hub 2', 'hub 3'].map(signerOf) as [Signer, Signer, Signer]
export const stranger = signerOf('stranger')
export const author = signerOf('author')
export const CODE = cidOfStructure(new TextEncoder().encode('code'))

export function text(signer: Pick<Signer, 'address'>): string {
  return formatAddress(signer.address)
}

type Times = { issued?: number; expires?: number; seq?: number }
const TIMES = { issued: NOW, expires: NOW + DAY, seq: 0 }

export function attest(
  hub: Signer,
  verdict: 'safe' | 'unsafe' = 'safe',
  { network = NETWORK, ...more }: Times & { code?: CID; network?: string; severity?: 'high' } = {},
): Uint8Array {
  const body = encodeAttestation({ v: 1, hub: addressBytes(hub.address), code: CODE, verdict, ...TIMES, ...more })
  return encodeStatement(signStatement(body, network, hub))
}

export function freeze(hub: Signer, amount: string, more: Times & { chain?: string; of?: Signer } = {}): Uint8Array {
  const { of = author, chain = 'sol', ...rest } = more
  const address = addressBytes(of.address)
  const body = encodeFreeze({ v: 1, hub: addressBytes(hub.address), address, chain, amount, ...TIMES, ...rest })
  return encodeStatement(signStatement(body, NETWORK, hub))
}

export function delegate(
  issuer: Signer,
  subject: Signer,
  depth = 0,
  more: Times & { revoked?: true; network?: string } = {},
): Uint8Array {
  const { network = NETWORK, ...rest } = more
  const ends = { issuer: addressBytes(issuer.address), subject: addressBytes(subject.address) }
  const body = encodeDelegation({ v: 1, ...ends, depth, ...TIMES, ...rest })
  return encodeStatement(signStatement(body, network, issuer))
}

export function policyOf(raw: object): TrustPolicy {
  return readPolicy(raw).policy.config
}

/** Three hubs, two of whom must agree. */
export const THREE_HUBS = policyOf({ TRUSTED_HUBS: Object.fromEntries(hubs.map((hub) => [text(hub), { WEIGHT: 5 }])) })

export type World = {
  readonly trust: Omit<Trust, 'boot'> & { boot(): void }
  readonly clock: ManualClock
  readonly journal: Journal
  readonly events: { [Name in keyof TrustEvents]: { name: Name; detail: TrustEvents[Name] } }[keyof TrustEvents][]
  /** of a kind, in order */
  heard<Name extends keyof TrustEvents>(name: Name): TrustEvents[Name][]
  /** what lies in the mesh's records */
  readonly records: Map<string, Uint8Array[]>
  readonly asked: string[]
  readonly put: { key: string; value: Uint8Array }[]
  readonly published: Uint8Array[]
  /** how often it was tried to publish to the topic */
  attempts(): number
  policy: TrustPolicy
  servicesInUse: ServiceInUse[]
  /** no peer takes or hears anything */
  alone: boolean
  liveCode: boolean
} & AsyncDisposable

export function world(
  policy: TrustPolicy = THREE_HUBS,
  init: { path?: string; clock?: ManualClock } & Partial<TrustComponents & TrustStoreComponents> = {},
): World {
  const { path = ':memory:', clock = manualClock(NOW_MS), ...components } = init
  const log = silentLog()
  const journal = openJournal({ path, clock, log })
  const emitter = createEvents<TrustEvents>()
  const events: World['events'] = []
  emitter.onAny((name, detail) => void events.push({ name, detail } as never))
  const state = { policy, servicesInUse: [] as ServiceInUse[], alone: false, liveCode: true }
  const records = new Map<string, Uint8Array[]>()
  const asked: string[] = []
  const put: World['put'] = []
  const published: Uint8Array[] = []
  let attempts = 0
  const keys = createKeyCache()
  const shared = { clock, log, rng: seededRng('trust'), events: emitter }
  const store = createTrustStore(
    { ...shared, statements: journal.statements, keys, hasLiveCode: () => state.liveCode, ...components },
    { network: NETWORK, own: own.address, policy: () => state.policy },
  )
  const trust = createTrust(store, {
    ...shared,
    records: {
      async *find(key) {
        asked.push(key)
        if (state.alone) throw new Error('nobody is there')
        yield* records.get(key) ?? []
      },
      async put(key, value) {
        if (state.alone) throw new Error('nobody took it')
        put.push({ key, value })
        return 1
      },
    },
    mesh: {
      async publish(statement) {
        attempts++
        if (state.alone) throw new Error('nobody heard it')
        published.push(statement)
      },
    },
    ...components,
  })
  const heard = <Name extends keyof TrustEvents>(name: Name) =>
    events.filter((event) => event.name === name).map(({ detail }) => detail as TrustEvents[Name])
  return Object.assign(state, {
    trust: { ...trust, boot: () => trust.boot(() => state.servicesInUse) },
    clock,
    journal,
    events,
    heard,
    records,
    asked,
    put,
    published,
    attempts: () => attempts,
    async [Symbol.asyncDispose]() {
      await trust[Symbol.asyncDispose]()
      store[Symbol.dispose]()
      journal[Symbol.dispose]()
    },
  })
}

/** A test with a node that trusts three hubs. */
export const it = test
  .extend('here', ({ onTestFinished }) => {
    const here = world()
    onTestFinished(() => here[Symbol.asyncDispose]())
    return here
  })
  .extend('trust', ({ here }) => here.trust)
  .extend('validate', ({ trust }) => trust.validateGossip)
  .extend(
    'quorum',
    ({ trust }) =>
      () =>
        trust.factsOf(subject()).quorum,
  )

export function subject(staples: Uint8Array[] = [], by: Signer = author, code = CODE) {
  return { code, author: addressBytes(by.address), staples }
}
