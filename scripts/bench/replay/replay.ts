import { type ChildProcess, spawn } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { once } from 'node:events'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Address, addressBytes, decodeAddress, formatAddress } from '../../../protocols/address.ts'
import { cidOfBytes, cidOfStructure, encodeCanonical } from '../../../protocols/encoding.ts'
import type { ServiceBody } from '../../../protocols/service.ts'
import { systemClock } from '../../../src/base/clock.ts'
import { silentLog } from '../../../src/base/log.ts'
import { initFolder } from '../../../src/config/index.ts'
import { openJournal } from '../../../src/journal/index.ts'

const SERVICES = 100_000
const AUTHORS = 500
const ROUNDS = 1
const WORDS = ['web', 'api', 'storage', 'bridge', 'game', 'video']
const TOOLCHAINS = [['node.js'], ['python'], ['docker', 'node.js'], ['rust'], ['go']]
const MAIN = fileURLToPath(new URL('../../../src/cli/main.ts', import.meta.url))

/** The policy in force, and a stricter one. */
const IN_FORCE = {
  PREFER_TOOLCHAIN: { docker: ['node.js', 'rust', 'go'], host: ['node.js'] },
  KEYWORDS: ['web', 'api', 'storage', 'bridge'],
  LIMITS: { TOTAL: { MEMORY: '4GiB', CPU: 4000, DISK: '8GiB', PIDS: 1024, RUNS: 64 } },
}
const STRICTER = {
  KEYWORDS: ['web', 'api'],
  LIMITS: { ...IN_FORCE.LIMITS, SERVICE: { MEMORY: '192MiB' } },
}

/**
 * The real program replays a journal of 100,000 services: two runner hosts, one with each policy. What is measured is
 * the whole command, from its start to its end.
 */
export async function runReplayBench({ json, rounds = ROUNDS }: { json: boolean; rounds?: number }): Promise<void> {
  const say = (line: object, text: string) => console.log(json ? JSON.stringify(line) : text)
  const root = await mkdtemp(join(tmpdir(), 'tc-bench-replay-'))
  try {
    const authors = Array.from({ length: AUTHORS }, () => addressBytes(newAddress()))
    const roots = Object.fromEntries(
      authors.slice(0, AUTHORS / 2).map((bytes) => [formatAddress(decodeAddress(bytes)), {}]),
    )
    const dir = join(root, 'node')
    const trust = { TRUST_TREE: { ROOTS: roots } }
    await initFolder(dir, { runner: { ...IN_FORCE, ...trust } })
    const inForce = JSON.parse(readFileSync(join(dir, 'runners/andromeda/config.json'), 'utf8')) as object
    const candidate = join(root, 'candidate.json')
    writeFileSync(candidate, JSON.stringify({ ...inForce, ...STRICTER }))
    mkdirSync(join(dir, 'data'))
    const wroteMs = fill(join(dir, 'data', 'journal.sqlite'), authors)
    say({ services: SERVICES, wroteMs }, `${SERVICES} services journalled in ${wroteMs} ms`)
    const results = []
    for (let round = 1; round <= rounds; round++) {
      const result = await replay(dir, candidate)
      results.push(result)
      say({ round, ...result }, `${round}  ${result.seconds} s  ${result.perSecond}/s  ${result.peakMiB} MiB at most`)
    }
    const seconds = results.map((result) => result.seconds).sort((a, b) => a - b)[Math.floor(results.length / 2)]
    say({ bench: 'replay', services: SERVICES, rounds, seconds }, `\nreplay of ${SERVICES} services: ${seconds} s`)
  } finally {
    await rm(root, { recursive: true, force: true })
  }
}

async function replay(dir: string, candidate: string) {
  const began = performance.now()
  const argv = ['--dir', dir, 'policy', 'replay', candidate, '--executors', 'docker,host', '--json']
  const child = spawn(process.execPath, ['--conditions=thundercloud-source', MAIN, ...argv], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let last = ''
  let lines = 0
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const parts = (last + text).split('\n')
    last = parts.pop() ?? ''
    lines += parts.length
    for (const line of parts) if (line.includes('"summary"')) summary = JSON.parse(line) as typeof summary
  })
  let summary: { asked: number; changed: number } | undefined
  let peakMiB = 0
  const watch = setInterval(() => {
    peakMiB = Math.max(peakMiB, residentMiB(child))
  }, 100)
  const [code] = (await once(child, 'close')) as [number]
  clearInterval(watch)
  if (code !== 0 || summary === undefined) throw new Error(`the program ended with ${code}`)
  const seconds = Math.round(performance.now() - began) / 1000
  const { asked, changed } = summary
  return { seconds, perSecond: Math.round(asked / seconds), asked, changed, lines, peakMiB }
}

/** Of the program itself; its two runner processes have limits of their own. */
function residentMiB({ pid }: ChildProcess): number {
  try {
    const [, kib = '0'] = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
    return Math.round(Number(kib) / 1024)
  } catch {
    return 0
  }
}

/** Writes what a busy node would have received in a week. Signatures are not real: a replay does not check them. */
function fill(path: string, authors: readonly Uint8Array[]): number {
  const began = performance.now()
  const clock = systemClock()
  using journal = openJournal({ path, clock, log: silentLog() })
  const sig = new Uint8Array(64)
  const proof = new Uint8Array(32)
  const now = Math.floor(clock.now() / 1000)
  for (let from = 0; from < SERVICES; from += 1000) {
    journal.transaction(() => {
      for (let number = from; number < Math.min(from + 1000, SERVICES); number++) {
        const author = authors[number % AUTHORS] as Uint8Array
        const issued = now - Math.floor(((SERVICES - number) / SERVICES) * 7 * 86_400)
        const content = bodyOf(number, author, issued)
        const body = encodeCanonical(content)
        journal.announcements.insert({
          id: cidOfStructure(body).toString(),
          kind: 'service',
          author,
          name: content.name,
          seq: content.seq,
          body,
          sig,
          code: content.code.toString(),
          depth: number % 4,
          proof,
          issued,
          expires: content.expires,
          receivedAt: issued * 1000,
          via: 'gossip',
          own: false,
          state: 'live',
        })
      }
    })
  }
  return Math.round(performance.now() - began)
}

function bodyOf(number: number, author: Uint8Array, issued: number): ServiceBody {
  return {
    v: 1,
    author,
    name: `service-${number}`,
    seq: 1,
    title: `Service ${number}`,
    desc: 'what a benchmark says of a service, in about as many words as people use',
    keywords: [WORDS[number % WORDS.length] as string, 'cloud'],
    toolchain: TOOLCHAINS[number % TOOLCHAINS.length] as string[],
    symbiotes: [],
    hostchains: number % 3 === 0 ? ['btc'] : [],
    issued,
    expires: issued + 7 * 86_400,
    code: cidOfBytes(Buffer.from(`code ${number}`)),
    sources: [{ type: 'mesh' }],
    run: { command: ['node', 'server.js'], kind: 'service', ports: [{ name: 'http', port: 8080, access: 'any' }] },
    resources: { memory: (64 + (number % 4) * 64) * 2 ** 20, disk: 2 ** 20, cpu: 250, pids: 32 },
    network: number % 10 === 0 ? ['api.github.com:443'] : [],
    replicas: 1 + (number % 3),
    statements: [],
    credentials: [],
    replyTo: [],
    reach: { depth: 3, anchor: new Uint8Array(32) },
  }
}

function newAddress(): Address {
  const spki = generateKeyPairSync('ed25519').publicKey.export({ format: 'der', type: 'spki' })
  return { type: 'ed25519', key: new Uint8Array(spki.subarray(-32)) }
}
