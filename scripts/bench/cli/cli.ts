import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { sleep, systemClock } from '../../../src/base/clock.ts'
import { initFolder } from '../../../src/config/index.ts'
import { treeMemory } from './memory.ts'

const ROUNDS = 11
const ROOT = join(import.meta.dirname, '..', '..', '..')
/** A node has settled by then: what starting left behind is collected. */
const IDLE_MS = 60_000
const MAX_IDLE_MIB = 150

/** What asking may cost, as a multiple of Node running an empty file. */
const BOUNDS = { version: { source: 3, package: 3 }, help: { source: 3, package: 3 }, list: { source: 8, package: 6 } }

type Way = 'source' | 'package'

/**
 * What it costs to ask: processor time of `--version`, `help` and `list` of a running node, from source and from the built
 * package, each beside an empty file in the same round; and the memory of an idle node's processes, started from the package.
 */
export async function runCliBench({ json, rounds = ROUNDS }: { json: boolean; rounds?: number }): Promise<void> {
  const say = (line: object, text: string) => console.log(json ? JSON.stringify(line) : text)
  const dir = await mkdtemp(join(tmpdir(), 'thundercloud-bench-'))
  let held = true
  try {
    const empty = join(dir, 'empty.mjs')
    await writeFile(empty, '')
    const entries: Record<Way, string[]> = {
      source: ['--conditions=thundercloud-source', join(ROOT, 'src/cli/main.ts')],
      package: [await buildPackage(dir)],
    }
    const folder = join(dir, 'node')
    await initFolder(folder, {
      node: { VISIBILITY: 'private', LISTEN: ['/ip4/127.0.0.1/tcp/0'], API: '127.0.0.1:0', LOG_LEVEL: 'error' },
      runner: { STATIC_NODES: [] },
    })
    const node = await startNode([...entries.package, 'start', folder, '--json'])
    try {
      const ready = performance.now()
      const asks: Record<keyof typeof BOUNDS, string[]> = {
        version: ['--version'],
        help: ['help'],
        list: ['list', '--dir', folder],
      }
      const ratios = new Map<string, number[]>()
      const bare: number[] = []
      for (let round = -1; round < rounds; round++) {
        const base = cpuSeconds([empty])
        if (round >= 0) bare.push(base)
        for (const [what, argv] of Object.entries(asks)) {
          for (const way of ['source', 'package'] as const) {
            const ratio = cpuSeconds([...entries[way], ...argv]) / base
            if (round >= 0) ratios.set(`${what} ${way}`, [...(ratios.get(`${what} ${way}`) ?? []), ratio])
          }
        }
      }
      say(
        { name: 'bare', cpuMs: Math.round(median(bare) * 1000) },
        `an empty file: ${Math.round(median(bare) * 1000)} ms`,
      )
      for (const [what, bounds] of Object.entries(BOUNDS)) {
        for (const way of ['source', 'package'] as const) {
          const ratio = Number(median(ratios.get(`${what} ${way}`) ?? []).toFixed(2))
          const within = ratio <= bounds[way]
          held &&= within
          say(
            { name: what, way, ratio, bound: bounds[way], within },
            `${what.padEnd(8)} from ${way.padEnd(8)} ${ratio.toFixed(2)} x bare Node (at most ${bounds[way]})`,
          )
        }
      }
      await sleep(systemClock(), Math.max(0, IDLE_MS - (performance.now() - ready)))
      const processes = await treeMemory(node.pid as number)
      const pssMiB = Math.round(processes.reduce((sum, { pssMiB: mib }) => sum + mib, 0))
      const within = pssMiB <= MAX_IDLE_MIB
      held &&= within
      say(
        { name: 'idle', pssMiB, processes, bound: MAX_IDLE_MIB, within },
        `an idle node: ${pssMiB} MiB PSS in ${processes.length} processes (at most ${MAX_IDLE_MIB})`,
      )
    } finally {
      const ended = once(node, 'exit')
      node.kill('SIGTERM')
      await ended
    }
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
  if (!held) process.exitCode = 1
}

/** As npm installs it, but for its dependencies, which are those of the repository. */
async function buildPackage(dir: string): Promise<string> {
  const target = join(dir, 'package')
  await mkdir(target)
  const tsc = join(ROOT, 'node_modules/typescript/bin/tsc')
  const built = spawnSync(process.execPath, [tsc, '-p', 'tsconfig.build.json', '--outDir', join(target, 'dist')], {
    cwd: ROOT,
    encoding: 'utf8',
  })
  if (built.status !== 0) throw new Error(`the package cannot be built: ${built.stdout}${built.stderr}`)
  for (const part of ['package.json', 'configs', 'protocols']) {
    await cp(join(ROOT, part), join(target, part), { recursive: true, filter: (path) => !path.endsWith('.ts') })
  }
  await symlink(join(ROOT, 'node_modules'), join(target, 'node_modules'))
  const { bin } = JSON.parse(await readFile(join(target, 'package.json'), 'utf8')) as { bin: { thundercloud: string } }
  return join(target, bin.thundercloud)
}

async function startNode(argv: readonly string[]): Promise<ChildProcess> {
  const child = spawn(process.execPath, argv, { stdio: ['ignore', 'pipe', 'inherit'] })
  for await (const line of createInterface(child.stdout as NodeJS.ReadableStream)) {
    if (line.includes('"event":"ready"')) {
      child.stdout?.resume()
      return child
    }
  }
  throw new Error('the node ended before it was ready')
}

/** User and system time of one run, as the shell counts it: Node does not report its children's. */
function cpuSeconds(argv: readonly string[]): number {
  const script = 'TIMEFORMAT=\'%3U %3S\'; time "$@" >/dev/null 2>&1'
  const { stderr } = spawnSync('bash', ['-c', script, 'bash', process.execPath, ...argv], { encoding: 'utf8' })
  const [user = Number.NaN, system = Number.NaN] = stderr.trim().split(' ').map(Number)
  return user + system
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
}
