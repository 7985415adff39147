import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { fileURLToPath } from 'node:url'
import { multiaddr } from '@multiformats/multiaddr'
import { parseCid } from '../../../protocols/encoding.ts'
import { ARCHIVE_BYTES, countAll, openCode, openNetwork, openRaw, RAW_PROTOCOL } from './peers.ts'

const ROUNDS = 9
const MB = 1e6

type Kind = 'raw' | 'random' | 'compressible'
type Served = { raw: string; node: string; codes: Record<'random' | 'compressible', string> }

/**
 * 64 MiB from one peer in another process, over TCP and noise on loopback: as an archive (manifest and chunks asked for,
 * hashed, written to disk, committed to the store), and as the same bytes down one raw libp2p stream, neither checked
 * nor kept. The rounds are interleaved, so that what else the machine does hits both; medians are compared.
 */
export async function runArchiveBench({
  json,
  rounds = ROUNDS,
}: {
  json: boolean
  rounds?: number
}): Promise<{ ratio: number }> {
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
    const pauses: Record<Kind, number[]> = { raw: [], random: [], compressible: [] }

    const run: Record<Kind, () => Promise<void>> = {
      async raw() {
        await countAll(await rawPeer.newStream(RAW_PROTOCOL), ARCHIVE_BYTES)
      },
      random: () => fetchAs('random'),
      compressible: () => fetchAs('compressible'),
    }
    async function fetchAs(kind: 'random' | 'compressible'): Promise<void> {
      await code.fetch(parseCid(served.codes[kind]), { peers: [peer] })
    }
    const times: Record<Kind, number[]> = { raw: [], random: [], compressible: [] }
    for (let round = -1; round < rounds; round++) {
      for (const kind of ['raw', 'random', 'compressible'] as const) {
        const delay = monitorEventLoopDelay({ resolution: 1 })
        delay.enable()
        const startedAt = performance.now()
        await run[kind]()
        const ms = performance.now() - startedAt
        delay.disable()
        if (kind !== 'raw') await code.store.remove(parseCid(served.codes[kind]))
        if (round < 0) continue
        times[kind].push(ms)
        pauses[kind].push(delay.max / 1e6)
        say(
          { round, kind, ms: Math.round(ms), megabytesPerSecond: speed(ms) },
          `${round} ${kind} ${ms.toFixed(0)} ms, ${speed(ms)} MB/s`,
        )
      }
    }
    const ratio = Number((median(times.raw) / median(times.random)).toFixed(3))
    const summary = {
      bench: 'archive',
      bytes: ARCHIVE_BYTES,
      rounds,
      rawMegabytesPerSecond: speed(median(times.raw)),
      archiveMegabytesPerSecond: speed(median(times.random)),
      compressibleMegabytesPerSecond: speed(median(times.compressible)),
      rawPauseMs: Math.round(median(pauses.raw)),
      pauseMs: Math.round(median(pauses.random)),
      ratio,
    }
    say(
      summary,
      `64 MiB, verified on disk: ${summary.archiveMegabytesPerSecond} MB/s (compressible ${summary.compressibleMegabytesPerSecond}); ` +
        `a raw libp2p stream: ${summary.rawMegabytesPerSecond} MB/s; ratio ${ratio}; longest pause of the event loop ${summary.pauseMs} ms (raw: ${summary.rawPauseMs})`,
    )
    return summary
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
