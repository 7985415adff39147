import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { formatAddress } from '../../../protocols/address.ts'
import type { ExecutorName } from '../../../src/base/verdict.ts'
import type { ThundercloudNode } from '../../../src/node/index.ts'
import { addFolder, announce, bytesOf, type createWorld, newSigner } from '../../../test/fixtures/node/nodes.ts'
import { LINE } from './baselines.ts'
import { type Pair, START_STEPS, type Start } from './pair.ts'

const PATIENCE_MS = 60_000
const REFILL_MS = { host: 1500, docker: 4000, pool: 0, swarm: 0 } as const satisfies Record<ExecutorName, number>
const TOTAL = { MEMORY: '1GiB', CPU: '4', DISK: '512MiB', PIDS: 512, RUNS: 4 }
const RESOURCES = { memory: '96MiB', disk: '8MiB', cpu: '0.5', pids: 32 }
/** as many as the memory of one is told of */
const CLASS = { COUNT: 4, MEMORY: RESOURCES.memory, DISK: RESOURCES.disk, PIDS: RESOURCES.pids }
/** LIMITS.WARM, and how a start that takes it begins. */
const WARM = {
  nothing: { keys: {}, began: '' },
  gateways: { keys: { GATEWAYS: 2 }, began: 'its gateway was warm' },
  programs: { keys: { 'node.js': [CLASS] }, began: 'warm start' },
} as const satisfies Record<Pair['warm'], object>
export type StartNode = {
  /** Adds a folder with so many files, and answers what starts a new service with that code. */
  prepare(files: number): Promise<{ start(): Promise<Start>; dir: string }>
}

type World = Awaited<ReturnType<typeof createWorld>>

/** A whole node that runs all in one executor. */
export async function openNode(
  world: World,
  executor: ExecutorName,
  warm: Pair['warm'] = 'nothing',
): Promise<StartNode> {
  const { keys, began } = WARM[warm]
  const author = newSigner()
  const TRUST_TREE = { ROOTS: { [formatAddress(author.address)]: {} } }
  const PREFER_TOOLCHAIN = { [executor]: ['node.js'] }
  const LIMITS = { TOTAL, WARM: keys }
  const node = await world.start(`${executor}-${warm}`, { runner: { LIMITS, PREFER_TOOLCHAIN, TRUST_TREE } })
  let services = 0
  return {
    async prepare(files) {
      const dir = await writeCode(world, `${executor}-${warm}`, files)
      const code = await addFolder(node, dir)
      const start = async () => {
        await refilled(executor, warm)
        return measure(node, bytesOf(announce(author, serviceOf(code, `start-${services++}`))), began)
      }
      // unpacks the code, makes the image, and learns what the machine can do
      await measure(node, bytesOf(announce(author, serviceOf(code, `start-${services++}`))), '')
      return { start, dir }
    },
  }
}

function serviceOf(code: string, name: string) {
  return { code, name, depth: 1, resources: RESOURCES, run: { command: ['node', 'main.js'], kind: 'task' } }
}

async function writeCode({ root }: World, name: string, files: number): Promise<string> {
  const dir = join(root, `code-${name}-${files}`)
  await mkdir(dir)
  await writeFile(join(dir, 'main.js'), `console.log('${LINE}')\n`)
  for (let file = 1; file < files; file++) {
    const below = join(dir, `${file % 50}`)
    await mkdir(below, { recursive: true })
    await writeFile(join(below, `${file}.js`), `module.exports = ${file}\n`)
  }
  return dir
}

/** From the announcement's bytes to the first line of output that a reader of the log has. */
async function measure(node: ThundercloudNode, bytes: Uint8Array, began: string): Promise<Start> {
  const at: Record<string, number> = {}
  const over = Promise.withResolvers<void>()
  const logged = Promise.withResolvers<void>()
  const fail = (error: Error) => {
    over.reject(error)
    logged.reject(error)
  }
  for (const { promise } of [over, logged]) promise.catch(() => {})
  const late = setTimeout(
    () => fail(new Error(`no line came within ${PATIENCE_MS / 1000} s: ${JSON.stringify(at)}`)),
    PATIENCE_MS,
  )
  const beganAt = performance.now()
  using _verdict = node.events.on('node:verdict', ({ verdict }) => {
    at.verdict = performance.now() - beganAt
    if (verdict.run === false) fail(new Error(`the node does not run it: ${JSON.stringify(verdict.reasons)}`))
  })
  using _states = node.events.on('execution:state', ({ service, state, detail }) => {
    at[state] ??= performance.now() - beganAt
    if (state === 'fetching') readFirst(node, service).then(logged.resolve, logged.reject)
    if (state === 'running' && !(detail ?? '').startsWith(began))
      fail(new Error(`it did not begin as it should: ${detail}`))
    if (state === 'exited') over.resolve()
    if (state === 'failed' || state === 'refused') fail(new Error(`the run is ${state}: ${detail}`))
  })
  try {
    const received = await node.receive(bytes, { asPublisher: false })
    if (received.outcome !== 'new') throw new Error(`the node answered ${JSON.stringify(received)}`)
    await logged.promise
    const line = performance.now() - beganAt
    await over.promise
    const { verdict = 0 } = at
    return { ...Object.fromEntries(START_STEPS.map((step) => [step, at[step]])), verdict, line }
  } finally {
    clearTimeout(late)
  }
}

/** What was taken is there again: a sandbox after a quarter of a second, containers after one. */
export async function refilled(executor: ExecutorName, warm: Pair['warm']): Promise<void> {
  if (warm !== 'nothing') await new Promise((resolve) => setTimeout(resolve, REFILL_MS[executor]))
}

async function readFirst(node: ThundercloudNode, service: string): Promise<void> {
  for await (const { stream, line } of node.logs(service, { tail: 100, follow: true })) {
    if (stream === 'out' && line === LINE) return
  }
  throw new Error('the log ended without its first line')
}
