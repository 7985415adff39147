import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { fileURLToPath } from 'node:url'
import { multiaddr } from '@multiformats/multiaddr'
import { parseCid } from '../../../protocols/encoding.ts'
import { openHelia } from './helia.ts'
import { ARCHIVE_BYTES, countAll, openCode, openNetwork, openRaw, RAW_PROTOCOL } from './peers.ts'

const MB = 1e6
const KINDS = ['raw', 'random', 'compressible', 'helia'] as const

type Kind = (typeof KINDS)[number]
type Served = { raw: string; node: string; codes: Record<'random' | 'compressible', string> }
export type ToRounds = { readonly rounds: number; readonly json: boolean; readonly helia: boolean }
/** Medians over rounds; a ratio is the median of the ratios of each round's pair. */
export type Rounds = {
  readonly ratio: number
  readonly ratioHelia: number | undefined
  readonly megabytesPerSecond: Partial<Record<Kind, number>>
  readonly pauseMs: number
  readonly rawPauseMs: number
}

/**
 * The process of a few rounds: 64 MiB from one peer in another process, over TCP and noise on loopback: as an archive (manifest
 * and chunks asked for, hashed, written to disk, committed to the store), as the same bytes down one raw libp2p stream,
 * neither checked nor kept, and by Helia's bitswap into files. The rounds are interleaved, so that what else the machine does
 * hits all.
 */
async function runRounds({ rounds, json, helia: withHelia }: ToRounds): Promise<Rounds> {
  const dir = await mkdtemp(join(tmpdir(), 'thundercloud-bench-'))
  const server = fork(fileURLToPath(new URL('./server.ts', import.meta.url)), {
    execArgv: process.execArgv,
  })
  const left = once(server, 'exit')
  const [raw, network] = await Promise.all([openRaw(), openNetwork()])
  const code = await openCode(network, join(dir, 'store'))
  const say = (line: object, text: string) => console.log(json ? JSON.stringify(line) : text)
  try {
    const [served] = (await Promise.race([
      once(server, 'message'),
      left.then(([status]) => Promise.reject(new Error(`the server ended with ${status}`))),
    ])) as [Served]
    const rawPeer = await raw.dial(multiaddr(served.raw))
    const peer = await network.dial(served.node)
    const pauses: Record<Kind, number[]> = { raw: [], random: [], compressible: [], helia: [] }
    await using helia = withHelia ? await openHelia() : undefined

    const run: Record<Kind, () => Promise<number>> = {
      raw: () => timed(async () => countAll(await rawPeer.newStream(RAW_PROTOCOL), ARCHIVE_BYTES)),
      random: () => timed(() => fetchAs('random')),
      compressible: () => timed(() => fetchAs('compressible')),
      helia: async () => (await helia?.fetch(ARCHIVE_BYTES)) ?? 0,
    }
    async function fetchAs(kind: 'random' | 'compressible'): Promise<void> {
      await code.fetch(parseCid(served.codes[kind]), { peers: [peer] })
    }
    const times: Record<Kind, number[]> = { raw: [], random: [], compressible: [], helia: [] }
    for (let round = -1; round < rounds; round++) {
      for (const kind of KINDS) {
        if (kind === 'helia' && helia === undefined) continue
        const delay = monitorEventLoopDelay({ resolution: 1 })
        delay.enable()
        const ms = await run[kind]()
        delay.disable()
        if (kind === 'random' || kind === 'compressible') await code.store.remove(parseCid(served.codes[kind]))
        if (round < 0) continue
        times[kind].push(ms)
        pauses[kind].push(delay.max / 1e6)
        say(
          { round, kind, ms: Math.round(ms), megabytesPerSecond: speed(ms) },
          `${round} ${kind} ${ms.toFixed(0)} ms, ${speed(ms)} MB/s`,
        )
      }
    }
    const ratioTo = (kind: Kind) => {
      const pairs = times[kind].map((ms, round) => ms / (times.random[round] as number))
      return pairs.length === 0 ? undefined : Number(median(pairs).toFixed(3))
    }
    const speeds = KINDS.filter((kind) => times[kind].length > 0).map((kind) => [kind, speed(median(times[kind]))])
    return {
      ratio: ratioTo('raw') as number,
      ratioHelia: ratioTo('helia'),
      megabytesPerSecond: Object.fromEntries(speeds),
      pauseMs: Math.round(median(pauses.random)),
      rawPauseMs: Math.round(median(pauses.raw)),
    }
  } finally {
    server.disconnect()
    await left
    await raw.stop()
    await code[Symbol.asyncDispose]()
    await network[Symbol.asyncDispose]()
    await rm(dir, { recursive: true, force: true })
  }
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] as number
}

function speed(ms: number): number {
  return Math.round(ARCHIVE_BYTES / MB / (ms / 1000))
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now()
  await work()
  return performance.now() - startedAt
}

process.once('message', (order: ToRounds) => {
  void runRounds(order).then(
    (result) => process.send?.(result, () => process.disconnect?.()),
    (error) => {
      console.error(error)
      process.exitCode = 1
      process.disconnect?.()
    },
  )
})
