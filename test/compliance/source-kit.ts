import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { CID } from '../../protocols/encoding.ts'
import { systemClock } from '../../src/base/clock.ts'
import { isRetryable } from '../../src/base/errors.ts'
import { TooLargeError } from '../../src/code/errors.ts'
import type { FetchSource } from '../../src/code/sources/child/job.ts'
import { createCodeSources } from '../../src/code/sources/sources.ts'
import { machineNetwork } from '../../src/egress/index.ts'
import { type Fault, faultyProxy } from '../fixtures/code/faulty-proxy.ts'
import type { Storage } from '../fixtures/code/source-server.ts'
import { MIB, testStore } from '../fixtures/code/stores.ts'

/** Code at a source of one kind. */
export type SourceSetup = {
  /** Starts a server that has it; `url` is where it will be reached. Answers the server's own address. */
  serve(url: string): Promise<string>
  source(url: string): FetchSource
  /** what it is */
  readonly code: CID
  /** other code, which it is not */
  readonly other: CID
  /** the policy that allows it */
  allow(url: string): Storage
  /** Which request brings the bytes of the code. */
  isContent(path: string): boolean
}

const LIMITS = { maxBytes: 4 * MIB, maxEntries: 1000 }

async function open(setup: SourceSetup) {
  const proxy = await faultyProxy()
  proxy.before(await setup.serve(proxy.url))
  const { store, events, seen, dir } = await testStore()
  const clock = systemClock()
  const policy = { ALLOWED_STORAGE: [], REGISTRIES: {}, ...setup.allow(proxy.url) }
  const fetch = (
    code: CID,
    {
      storage = policy,
      limits = LIMITS,
      signal,
    }: { storage?: typeof policy; limits?: typeof LIMITS; signal?: AbortSignal } = {},
  ) => {
    const sources = createCodeSources(
      { clock, events, store, network: machineNetwork(clock) },
      { storage: () => storage },
    )
    return sources.fetch(setup.source(proxy.url), code, { limits, signal })
  }
  /** The one sentence with which it fails; nothing is left on the disk, and no space is held. */
  async function failure(code: CID, options: Parameters<typeof fetch>[1] = {}): Promise<Error> {
    const error = await fetch(code, options).then(
      () => new Error('it was taken'),
      (reason: Error) => reason,
    )
    expect(error.message).toMatch(/^[^\n]{1,700}$/)
    expect(store.list().filter(({ complete }) => complete)).toEqual([])
    expect(await readdir(join(dir, 'temp'))).toEqual([])
    return error
  }
  return { proxy, store, seen, fetch, failure }
}

const FAULTS: [string, Fault, { message: RegExp; retry?: boolean; type?: typeof TooLargeError }][] = [
  ['is gone', (response) => void response.writeHead(404).end(), { message: /answers 404/, retry: false }],
  ['has trouble', (response) => void response.writeHead(503).end(), { message: /answers 503/, retry: true }],
  [
    'breaks off in the middle',
    (response, honest) => {
      response.writeHead(200, { 'content-length': honest.byteLength })
      response.write(honest.subarray(0, Math.floor(honest.byteLength / 2)))
      setTimeout(() => response.destroy(), 20)
    },
    { message: /broke off/, retry: true },
  ],
  ['sends other bytes', (response) => void response.end(Buffer.alloc(700, 'x')), { message: /./, retry: false }],
  ['sends nothing', (response) => void response.end(), { message: /./, retry: false }],
  [
    'never ends',
    (response, honest) => {
      response.write(honest)
      const more = () => response.write(Buffer.alloc(MIB, 'y'), (error) => error ?? more())
      more()
    },
    {
      message: /more than|too large|at most|other files|not one|is not|cannot|trailing|after|does not answer as/i,
      retry: false,
    },
  ],
  [
    'leads to a link-local address',
    (response) => void response.writeHead(302, { location: 'http://169.254.169.254/latest/meta-data' }).end(),
    { message: /169\.254\.169\.254|answers 302/, retry: false },
  ],
  [
    'leads to a host that is not allowed',
    (response) => void response.writeHead(302, { location: 'http://evil.example/x' }).end(),
    { message: /evil\.example|answers 302/, retry: false },
  ],
]

/** What every source must do, whatever it is. */
export function describeSource(name: string, make: () => Promise<SourceSetup>): void {
  describe(`source ${name}`, () => {
    test('gives the code, notes where it came from, and leaves nothing else', async () => {
      const setup = await make()
      const { proxy, store, seen, fetch } = await open(setup)
      await fetch(setup.code)
      const { type } = setup.source(proxy.url)
      expect(store.list()).toMatchObject([{ complete: true, provenance: { from: type, ms: expect.any(Number) } }])
      expect(seen).toContainEqual(['code:fetch-finished', expect.objectContaining({ from: type })])
      expect(proxy.asked.some(setup.isContent)).toBe(true)
    })

    test('with other code than was asked for is refused', async () => {
      const setup = await make()
      const { failure } = await open(setup)
      const error = await failure(setup.other)
      expect([isRetryable(error), error.message]).toEqual([
        false,
        expect.stringMatching(/has other files|answers 404|no such/),
      ])
    })

    test('that the policy does not allow is not asked', async () => {
      const setup = await make()
      const { proxy, failure } = await open(setup)
      const error = await failure(setup.code, { storage: { ALLOWED_STORAGE: ['example.org'], REGISTRIES: {} } })
      expect(error.message).toMatch(/ALLOWED_STORAGE|is not among the hosts|REGISTRIES/)
      expect(proxy.asked).toEqual([])
    })

    test.for(FAULTS)('whose server %s fails in one sentence', async ([_what, act, expected]) => {
      const setup = await make()
      const { proxy, failure } = await open(setup)
      proxy.breakAt(setup.isContent, act)
      const error = await failure(setup.code)
      expect(error.message).toMatch(expected.message)
      expect(isRetryable(error)).toBe(expected.retry)
    })

    test('with more bytes than allowed is refused', async () => {
      const setup = await make()
      const { failure } = await open(setup)
      expect(await failure(setup.code, { limits: { maxBytes: 10, maxEntries: 1000 } })).toBeInstanceOf(TooLargeError)
    })

    test('is left when nobody wants it any more', async () => {
      const setup = await make()
      const { proxy, failure } = await open(setup)
      const stop = new AbortController()
      proxy.breakAt(setup.isContent, (response) => {
        response.write('x')
        stop.abort(new Error('nobody wants it'))
      })
      expect((await failure(setup.code, { signal: stop.signal })).message).toBe('nobody wants it')
    })
  })
}
