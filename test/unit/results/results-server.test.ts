import { describe, expect, it } from 'vitest'
import { sha256 } from '../../../protocols/encoding.ts'
import { CHUNK_BYTES } from '../../../protocols/limits.ts'
import { createKeyCache, type Signer } from '../../../protocols/signature.ts'
import { decodeArchiveAnswer, encodeArchiveAnswer, encodeManifest } from '../../../protocols/streams/archive.ts'
import { decodeResultsRequest, encodeResultsRequest, type ResultsRequest } from '../../../protocols/streams/results.ts'
import { type ManualClock, manualClock } from '../../../src/base/clock.ts'
import type { Reason } from '../../../src/base/verdict.ts'
import { openPeerResults } from '../../../src/peer-client/results.ts'
import { streamPair } from '../../fixtures/mesh/stream-pair.ts'
import {
  ANOTHER,
  asked,
  author,
  BYTES,
  CHUNKS,
  CODE,
  encoded,
  holder,
  manifest,
  NETWORK,
  NOW,
  node,
  other,
  peerOf,
  receiptOf,
  SERVICE,
  serve,
  serverOf,
  signer,
  tokenOf,
} from './served-results.ts'

/** What the server answers this peer: the kind of the answer, or the refusal. */
async function answers(
  requests: readonly ResultsRequest[],
  { from = holder, ...options }: { from?: Signer; kept?: boolean; knows?: boolean; clock?: ManualClock } = {},
) {
  const clock = options.clock ?? manualClock(NOW * 1000)
  const [client, server] = streamPair(peerOf(from), peerOf(node))
  const served = serve(server, clock, options)
  const said: string[] = []
  for (const request of requests) {
    await client.write(encodeResultsRequest(request))
    const answer = decodeArchiveAnswer((await client.read()) ?? new Uint8Array())
    said.push(answer.is === 'error' ? answer.message : answer.is)
  }
  await client.end()
  await served
  return said
}

const WANTS = ['receipt', 'manifest', 'chunk'] as const

describe('results are given', () => {
  it.each([
    ['the author', author, undefined],
    ['a peer with the right', holder, tokenOf()],
    ['a peer with several', holder, tokenOf({ rights: ['logs', 'results'] })],
  ])('to %s', async (_, from, token) => {
    expect(
      await answers(
        WANTS.map((want) => asked(want, token)),
        { from },
      ),
    ).toEqual(['bytes', 'bytes', 'bytes'])
  })

  it.each([
    ['without a token', undefined, "results of this service need the author's token"],
    ['with a token that has expired', tokenOf({ issued: NOW - 600, expires: NOW }), 'has expired'],
    ['with a token of later', tokenOf({ issued: NOW + 300, expires: NOW + 600 }), 'is not valid yet'],
    ['with another right', tokenOf({ rights: ['logs', 'tunnel'] }), 'does not grant "results"'],
    ['with a token for another service', tokenOf({ service: ANOTHER }), 'is for another service'],
    ['with a token for another peer', tokenOf({ subject: other }), 'is for another peer'],
    ['with a token that another signed', tokenOf({ by: other }), 'author'],
    ['with bytes that are no token', new Uint8Array(8), 'token'],
  ])('to nobody %s, whatever it asks for', async (_, token, why) => {
    for (const want of WANTS) expect(await answers([asked(want, token)])).toEqual([expect.stringContaining(why)])
  })

  it('not any more when the right expires in the middle of a transfer', async () => {
    const clock = manualClock(NOW * 1000)
    const token = tokenOf({ expires: NOW + 10 })
    const [client, server] = streamPair(peerOf(holder), peerOf(node))
    const served = serve(server, clock)
    const ask = async () => {
      await client.write(encodeResultsRequest(asked('chunk', token)))
      return decodeArchiveAnswer((await client.read()) ?? new Uint8Array()).is
    }
    expect(await ask()).toBe('bytes')
    clock.jump(10_000)
    expect(await ask()).toBe('error')
    await client.end()
    await served
  })

  it('by the author of the record where the service is forgotten', async () => {
    expect(await answers([asked('manifest')], { from: author, knows: false })).toEqual(['bytes'])
    expect(await answers([asked('manifest')], { from: holder, knows: false })).toEqual([
      expect.stringContaining('token'),
    ])
    expect(await answers([asked('manifest', undefined, ANOTHER)], { from: author, knows: false })).toEqual([
      'this node knows no such service',
    ])
  })

  it('with the reason where nothing is kept any more, to those alone who have the right', async () => {
    const gone = { kept: false }
    expect(await answers([asked('manifest')], { from: author, ...gone })).toEqual([
      'the outputs were kept until yesterday',
    ])
    expect(await answers([asked('manifest')], gone)).toEqual([expect.not.stringContaining('yesterday')])
  })

  it('not beyond the last chunk', async () => {
    expect(await answers([{ ...asked('chunk'), want: 'chunk', index: 2 }], { from: author })).toEqual([
      'there is no chunk 2',
    ])
  })

  it('to the next where a peer is refused, or asks for nothing: its stream ends', async () => {
    const clock = manualClock(NOW * 1000)
    const [refused, server] = streamPair(peerOf(holder), peerOf(node))
    const served = serve(server, clock)
    await refused.write(encodeResultsRequest(asked('manifest')))
    await refused.read()
    expect(await refused.read()).toBeUndefined()
    await served
    const [, silent] = streamPair(peerOf(holder), peerOf(node))
    const gone = serve(silent, clock).catch((error: Error) => error.message)
    await clock.advance(5000)
    expect(await gone).toBe('the peer asks for nothing')
  })

  /** Opens streams at one server, and asks over them. */
  function reading(clock: ManualClock) {
    const server = serverOf(clock)
    return (from: Signer) => {
      const [client, stream] = streamPair(peerOf(from), peerOf(node))
      const served = server(stream).catch((error: Error) => error.message)
      const ask = async (want: ResultsRequest['want'], token?: Uint8Array, index = 0) => {
        const request = asked(want, token)
        await client.write(encodeResultsRequest(request.want === 'chunk' ? { ...request, index } : request))
        const answer = decodeArchiveAnswer((await client.read()) ?? new Uint8Array())
        return answer.is === 'error' ? answer.message : answer.is
      }
      return { ask, served, end: () => client.end().then(() => served) }
    }
  }
  const holders = Array.from({ length: 8 }, signer).map((subject) => ({ subject, token: tokenOf({ subject }) }))
  const twoEach = [...holders, ...holders]

  it('to 16 readers at once, two streams of a peer; those that are refused take no place', async () => {
    const open = reading(manualClock(NOW * 1000))
    for (let n = 0; n < 20; n++) expect(await open(other).ask('manifest')).toContain('token')
    const readers = twoEach.map(({ subject }) => open(subject))
    for (const [at, { token }] of twoEach.entries()) expect(await readers[at]?.ask('manifest', token)).toBe('bytes')
    expect(await open(author).ask('manifest')).toContain('ask again later')
    await readers[0]?.end()
    expect(await open(author).ask('manifest')).toBe('bytes')
    expect(await open(author).ask('manifest')).toContain('ask again later')
  })

  it('to a new reader where one of 16 has read no chunk for ten seconds: that one makes room', async () => {
    const clock = manualClock(NOW * 1000)
    const open = reading(clock)
    const readers = twoEach.map(({ subject }) => open(subject))
    const askAll = async (want: ResultsRequest['want'], from = 0) => {
      for (const [at, { token }] of twoEach.entries()) {
        if (at >= from) expect(await readers[at]?.ask(want, token)).toBe('bytes')
      }
    }
    await askAll('manifest')
    // a question for a few bytes keeps no place, either
    for (let second = 0; second < 9; second++) {
      await clock.advance(1000)
      expect(await readers[0]?.ask('chunk', twoEach[0]?.token, 1)).toBe('bytes')
    }
    expect(await open(author).ask('manifest')).toContain('ask again later')
    // a question for the manifest keeps no place
    await askAll('manifest')
    await askAll('chunk', 1)
    await clock.advance(2000)
    expect(await open(author).ask('manifest')).toBe('bytes')
    expect(await readers[0]?.served).toContain('another peer wants its slot')
    await askAll('chunk', 1)
  })

  it('to no peer that does not read: it is let go after a minute', async () => {
    const clock = manualClock(NOW * 1000)
    const [client, server] = streamPair(peerOf(author), peerOf(node), { capacity: 1 })
    const served = serve(server, clock).then(
      () => 'served',
      (error: Error) => error.message,
    )
    for (let n = 0; n < 3; n++) await client.write(encodeResultsRequest(asked('chunk')))
    for (let second = 0; second < 61; second++) await clock.advance(1000)
    expect(await served).toContain('too long')
  })
})

/** A peer that answers as a test says. */
function lying(answer: (request: ResultsRequest) => Uint8Array | Error) {
  const [client, server] = streamPair(peerOf(holder), peerOf(node))
  const run = async () => {
    for (let bytes = await server.read(); bytes !== undefined; bytes = await server.read()) {
      const said = answer(decodeResultsRequest(bytes))
      if (said instanceof Error) return server.abort(said)
      await server.write(encodeArchiveAnswer({ is: 'bytes', bytes: said }))
    }
  }
  run().catch(() => {})
  const components = { clock: manualClock(NOW * 1000), keys: createKeyCache(), streams: { open: async () => client } }
  return openPeerResults(components, peerOf(node), { network: NETWORK, service: SERVICE, token: undefined })
}

const naming = (message: string): Reason => ({ rule: 'run:outputs', outcome: 'pass', message })
const RECEIPT = receiptOf(SERVICE, naming(`${CODE}: left out: 1 link`))
const honest = (request: ResultsRequest) =>
  request.want === 'receipt' ? RECEIPT : request.want === 'manifest' ? encoded : (CHUNKS[request.index] as Uint8Array)

describe('an asker', () => {
  it('gets what the receipt names, chunk by chunk', async () => {
    await using results = await lying(honest)
    expect([results.code.toString(), results.detail]).toEqual([CODE.toString(), 'left out: 1 link'])
    expect(Buffer.concat(await Array.fromAsync(results.chunks())).equals(BYTES)).toBe(true)
  })

  it.each<[string, (request: ResultsRequest) => Uint8Array | Error, RegExp]>([
    ['a receipt of another node', () => receiptOf(SERVICE, naming(CODE.toString()), other), /receipt of another node/],
    ['a receipt of another service', () => receiptOf(ANOTHER, naming(CODE.toString())), /receipt of another service/],
    [
      'a receipt that names nothing',
      () => receiptOf(SERVICE, { rule: 'run:exit', outcome: 'pass', message: 'exit code 0' }),
      /says nothing/,
    ],
    [
      'a receipt with a reason alone',
      () => receiptOf(SERVICE, naming('the outputs are gone')),
      /^the outputs are gone$/,
    ],
    ['no receipt', () => new Uint8Array(3), /./],
    [
      'another manifest',
      (request) =>
        request.want === 'manifest'
          ? encodeManifest({ ...manifest, size: 1, chunks: [sha256(Uint8Array.of(1))] })
          : RECEIPT,
      /another manifest/,
    ],
    ['nothing more', () => new Error('gone'), /gone/],
  ])('takes nothing of a peer that sends %s', async (_, answer, why) => {
    await expect(lying(answer)).rejects.toThrow(why)
  })

  it.each<[string, Uint8Array]>([
    ['another', new Uint8Array(CHUNK_BYTES)],
    ['a shorter', new Uint8Array(3)],
  ])('takes nothing after %s chunk', async (_, wrong) => {
    await using results = await lying((request) => (request.want === 'chunk' ? wrong : honest(request)))
    await expect(Array.fromAsync(results.chunks())).rejects.toThrow('another chunk 0')
  })
})
