import { generateKeyPairSync } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { formatAddress } from '../../../protocols/address.ts'
import { signService } from '../../../protocols/announcement.ts'
import { parseCid } from '../../../protocols/encoding.ts'
import { issueTicket } from '../../../protocols/redirection.ts'
import { encodeService } from '../../../protocols/service.ts'
import { ed25519Signer } from '../../../protocols/signature.ts'
import { nowSeconds, sleep, systemClock } from '../../../src/base/clock.ts'
import { once } from '../../../src/base/events.ts'
import { createLog } from '../../../src/base/log.ts'
import { systemRng } from '../../../src/base/rng.ts'
import { listFolder, packEntries } from '../../../src/code/index.ts'
import {
  initFolder,
  loadConfiguration,
  loadIdentity,
  manifestToBody,
  parseManifest,
} from '../../../src/config/index.ts'
import { openJournal } from '../../../src/journal/index.ts'
import { createNode, type NodeEvents } from '../../../src/node/index.ts'

const SERVICES = 1000
const AUTHORS = 20
const CAPACITY = 4
const HELLO_WEB = new URL('../../../configs/examples/hello-web', import.meta.url).pathname

/**
 * A whole node, whose journal has a thousand live services that its policy redirected, and a policy that admits them all:
 * how long the preview takes, how long it takes until each has its place, and what the node's event loop notices.
 */
export async function runReevaluationBench({ json, rounds = 3 }: { json: boolean; rounds?: number }) {
  const say = (line: object, text: string) => console.log(json ? JSON.stringify(line) : text)
  const measured: Round[] = []
  for (let round = 0; round < rounds; round++) {
    const line = await oneRound()
    measured.push(line)
    say(
      { round, ...line },
      `${round}: event loop p99 ${line.p99Ms} ms, longest pause ${line.maxMs} ms, ${line.tookMs} ms`,
    )
  }
  const worst = (of: (round: Round) => number) => Math.max(...measured.map(of))
  const summary = {
    bench: 'reevaluation',
    services: SERVICES,
    room: CAPACITY,
    rounds,
    idleP99Ms: worst(({ idleP99Ms }) => idleP99Ms),
    worstP99Ms: worst(({ p99Ms }) => p99Ms),
    worstMaxMs: worst(({ maxMs }) => maxMs),
    worstCpuP99Ms: worst(({ cpuP99Ms, previewCpuP99Ms }) => Math.max(cpuP99Ms, previewCpuP99Ms)),
    previewMs: worst(({ previewMs }) => previewMs),
    previewP99Ms: worst(({ previewP99Ms }) => previewP99Ms),
    tookMs: worst(({ tookMs }) => tookMs),
    started: measured[0]?.started,
    bound: { p99Ms: 20 },
    held: worst(({ p99Ms, previewP99Ms }) => Math.max(p99Ms, previewP99Ms)) < 20,
    cpu: `${cpus().length} x ${cpus()[0]?.model ?? 'unknown'}`,
  }
  say(
    summary,
    `worst p99 ${summary.worstP99Ms} ms (bound 20), preview ${summary.previewMs} ms, all in ${summary.tookMs} ms`,
  )
  if (!summary.held) process.exitCode = 1
}

type Round = Awaited<ReturnType<typeof oneRound>>

async function oneRound() {
  const dir = await mkdtemp(join(tmpdir(), 'thundercloud-bench-'))
  const clock = systemClock()
  const log = createLog({ level: 'error', write: (line) => console.error(line) })
  try {
    const authors = Array.from({ length: AUTHORS }, () => ed25519Signer(generateKeyPairSync('ed25519').privateKey))
    const total = { MEMORY: '8GiB', CPU: '64', DISK: '8GiB', PIDS: 4096, RUNS: CAPACITY }
    const runner = {
      REDIRECTION_DEPTH: 3,
      STATIC_NODES: [],
      KEYWORDS: ['nothing'],
      LIMITS: { TOTAL: total },
      PREFER_TOOLCHAIN: { host: ['node.js'] },
      PREFER_HOSTCHAINS: { btc: {} },
      TRUST_TREE: { ROOTS: Object.fromEntries(authors.map(({ address }) => [formatAddress(address), { DEPTH: 0 }])) },
    }
    const node = {
      NETWORK: 'bench',
      VISIBILITY: 'private',
      LISTEN: ['/ip4/127.0.0.1/tcp/0'],
      API: false,
      PEERS: { LOW: 0 },
    }
    await initFolder(dir, { node, runner })
    const reread = async () => (await loadConfiguration(dir)).configuration
    const configuration = await reread()
    const start = async () =>
      createNode(
        { clock, rng: systemRng(), log },
        { configuration, identity: await loadIdentity(dir), version: '0', stopRunsOnClose: true, reread },
      )
    const before = await start()
    const { code } = await before.addArchive(packEntries(await listFolder(HELLO_WEB)))
    await before[Symbol.asyncDispose]()
    fill(join(configuration.dataDir, 'journal.sqlite'), authors, configuration.policy.hash, code)
    await using running = await start()
    const file = join(dir, 'runners/andromeda/config.json')
    const text = JSON.stringify({ ...(JSON.parse(await readFile(file, 'utf8')) as object), KEYWORDS: [] })

    // what other programs on this machine do to an event loop that has nothing to do
    const quiet = watch()
    await sleep(clock, 2000)
    const idleP99Ms = quiet().p99Ms
    const looked = watch()
    const preview = await running.previewPolicy(text)
    const atPreview = looked()
    const starts = preview.changes.filter(({ to }) => to === 'run').map(({ id }) => id)

    const done = once<NodeEvents, 'node:reconsidered'>(running.events, 'node:reconsidered')
    const seen = watch()
    await running.applyPolicy(text)
    const { services, changed } = await done
    const { p99Ms, maxMs, cpuP99Ms, tookMs } = seen()
    const started = running.services().filter(({ run }) => run !== undefined)
    const asExpected = started.length === starts.length && started.every(({ id }) => starts.includes(id))
    if (services !== SERVICES || !asExpected) throw new Error(`${services} were asked about, ${started.length} started`)
    return {
      idleP99Ms,
      p99Ms,
      maxMs,
      cpuP99Ms,
      tookMs,
      previewCpuP99Ms: atPreview.cpuP99Ms,
      previewMs: atPreview.tookMs,
      previewP99Ms: atPreview.p99Ms,
      started: started.length,
      changed,
    }
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
}

/**
 * Measures until it is called: the delay of the event loop, and the processor time of each of its turns, which other
 * programs of the machine do not lengthen.
 */
function watch() {
  const delay = monitorEventLoopDelay({ resolution: 1 })
  const turns: number[] = []
  let before = process.threadCpuUsage()
  const timer = setInterval(() => {
    const now = process.threadCpuUsage()
    turns.push(now.user + now.system - before.user - before.system)
    before = now
  }, 1)
  const startedAt = performance.now()
  delay.enable()
  return () => {
    delay.disable()
    clearInterval(timer)
    const ms = (ns: number) => Number((ns / 1e6).toFixed(2))
    const sorted = turns.sort((a, b) => a - b)
    return {
      p99Ms: ms(delay.percentile(99)),
      maxMs: ms(delay.max),
      cpuP99Ms: ms((sorted[Math.floor(sorted.length * 0.99)] ?? 0) * 1000),
      tookMs: Math.round(performance.now() - startedAt),
    }
  }
}

/** As a node leaves them that has redirected them. */
function fill(path: string, authors: readonly ReturnType<typeof ed25519Signer>[], policy: string, text: string): void {
  const clock = systemClock()
  using journal = openJournal({ path, clock, log: createLog({ level: 'silent' }) })
  const code = parseCid(text)
  journal.transaction(() => {
    for (let index = 0; index < SERVICES; index++) {
      const author = authors[index % authors.length] as (typeof authors)[number]
      const manifest = parseManifest({
        name: `service-${index}`,
        desc: 'a service of a benchmark',
        keywords: ['web'],
        toolchain: ['node.js'],
        hostchains: index % 100 === 0 ? ['btc'] : [],
        expires: '1h',
        run: { command: ['node', 'server.js'], ports: [{ name: 'http', port: 8080 }], kind: 'service' },
        resources: { memory: '96MiB', disk: '8MiB', cpu: '0.5', pids: 32 },
      })
      const { reach, ticket } = issueTicket(3, systemRng().bytes(32))
      const issued = nowSeconds(clock)
      const body = manifestToBody(manifest, { author: author.address, seq: 1, issued, code, replyTo: [], reach })
      const signed = signService(encodeService(body), 'bench', author)
      const id = signed.id.toString()
      const { author: bytes, name, seq, expires } = signed.body
      journal.announcements.insert({
        ...{ id, kind: 'service', author: bytes, name, seq, body: signed.bytes, sig: signed.sig, code: text },
        ...{ depth: ticket.depth, proof: ticket.proof, issued, expires, receivedAt: clock.now() + index },
        ...{ via: 'gossip', own: false, redirect: true, emittedDepth: 2, state: 'live' },
      })
      const reasons = [{ rule: 'keywords', outcome: 'fail' as const, message: 'none of its keywords is of interest' }]
      const verdict = { run: false as const, redirect: true, reasons }
      journal.verdicts.add({
        service: id,
        at: issued * 1000,
        policy: Uint8Array.from(Buffer.from(policy, 'hex')),
        verdict,
      })
    }
    journal.meta.set('policy', policy)
  })
}
