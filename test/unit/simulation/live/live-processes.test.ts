import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'

const PATIENCE_MS = 60_000
const MAIN = join(import.meta.dirname, '../../../../src/cli/main.ts')
const SCENARIO = {
  title: 'four',
  nodes: 4,
  seconds: 300,
  topology: { kind: 'random-regular', degree: 3 },
  instructions: [{ at: 0, do: 'publish' }],
}
let stack = new AsyncDisposableStack()
afterEach(async () => {
  await stack.disposeAsync()
  stack = new AsyncDisposableStack()
})

async function until(holds: () => boolean, what: string): Promise<void> {
  for (let waited = 0; !holds(); waited += 50) {
    if (waited > PATIENCE_MS) throw new Error(`in a minute it did not come to this: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

/** The processes below this one, their own included. */
function below(pid: number): number[] {
  const parents = new Map<number, number[]>()
  for (const name of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8')
      const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1])
      parents.set(parent, [...(parents.get(parent) ?? []), Number(name)])
    } catch {
      // it is gone
    }
  }
  const all = parents.get(pid) ?? []
  for (const child of all) all.push(...(parents.get(child) ?? []))
  return all
}

/** Starts `sim run --engine live`, and waits until its nodes are there. */
async function started() {
  const home = await mkdtemp(join(tmpdir(), 'live-'))
  stack.defer(() => rm(home, { recursive: true, force: true }))
  await writeFile(join(home, 'scenario.json'), JSON.stringify(SCENARIO))
  const args = ['--conditions=thundercloud-source', '--no-warnings', MAIN, 'sim', 'run']
  const child = spawn(
    process.execPath,
    [...args, 'scenario.json', '--engine', 'live', '--processes', '2', '--out', 'out'],
    { cwd: home, env: { HOME: home, TMPDIR: home, PATH: process.env.PATH }, detached: true, stdio: 'ignore' },
  )
  const ended = once(child, 'exit')
  const pid = child.pid as number
  stack.defer(async () => {
    child.kill('SIGKILL')
    await ended
  })
  const folders = () => readdirSync(home).filter((name) => name.startsWith('thundercloud-live-'))
  const hasNodes = () =>
    folders().some((name) =>
      [0, 1].every((index) => existsSync(join(home, name, `process-${index}`, `node-${index + 2}`, 'data'))),
    )
  await until(hasNodes, 'four nodes')
  return { home, child, pid, ended, folders }
}

const inLinux = process.platform === 'linux' ? test : test.skip

inLinux('kill -9 leaves no process and no folder of the nodes', { timeout: 180_000 }, async () => {
  const { child, pid, ended, folders } = await started()
  const others = below(pid)
  // two with nodes, their runners, and the relay
  expect(others.length).toBeGreaterThanOrEqual(5)
  child.kill('SIGKILL')
  await ended
  const alive = () => others.filter((other) => existsSync(`/proc/${other}`))
  await until(() => alive().length === 0, 'no process is left')
  await until(() => folders().length === 0, 'no folder is left')
})

inLinux('Ctrl-C writes the results and ends all processes', { timeout: 180_000 }, async () => {
  const { home, pid, ended, folders } = await started()
  const others = below(pid)
  // as a terminal does, it reaches all of them
  process.kill(-pid, 'SIGINT')
  const [code] = (await ended) as [number]
  expect(code).toBe(130)
  expect(JSON.parse(readFileSync(join(home, 'out/results.json'), 'utf8'))).toMatchObject({
    complete: false,
    engine: 'live',
  })
  // runners end with the nodes that they decide for
  await until(() => !others.some((other) => existsSync(`/proc/${other}`)), 'no process is left')
  expect(folders()).toEqual([])
})
