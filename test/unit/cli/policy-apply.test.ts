import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { expect } from 'vitest'
import { InputError } from '../../../src/base/errors.ts'
import type { WakeCondition } from '../../../src/base/verdict.ts'
import { initFolder } from '../../../src/config/index.ts'
import type { Change } from '../../../src/node/types.ts'
import { runProgram } from '../../fixtures/program/process.ts'
import { test as base, type Shell } from '../../fixtures/program/shell.ts'
import { isAlive } from '../../fixtures/runner/runners.ts'
import { folderWithJournal } from './journalled.ts'

const because = { rule: 'keywords', outcome: 'fail', message: 'none of the keywords is of interest' } as const
const CHANGES: Change[] = [
  {
    id: 'bafyreigdmqpykrgxyaxtlafqpqhzrb7qy2rh75nldvfd4tucqmqqme5yje',
    name: 'waits',
    author: 'AKnL4NNf3DGWZJS6cPknBuEGnVsV4A4m5tgebLHaRSZ9',
    from: 'parked',
    to: 'run',
    reasons: [{ rule: 'keywords', outcome: 'pass', message: 'fits' }],
    because: { rule: 'keywords', outcome: 'pass', message: 'fits' },
  },
  {
    id: 'bafyreihyrpefhacm6kkp4ql6j6udakdit7g3dmkzfriqfykhjw6cad5lrm',
    name: 'runs \u001b[31m',
    author: 'AKnL4NNf3DGWZJS6cPknBuEGnVsV4A4m5tgebLHaRSZ9',
    from: 'run',
    to: 'refused',
    reasons: [because],
    because,
  },
]

const test = base.extend('candidate', ({ withNode }) => {
  writeFileSync(withNode.path('c.json'), '{ "KEYWORDS": ["web"] } // mine\n')
  withNode.node.changes = [...CHANGES]
  return withNode
})

test('policy apply: says what stops and starts, asks, and takes it as it was written', async ({ candidate: shell }) => {
  const { code, stdout, stderr } = await shell.run('policy apply c.json', { answer: 'y\n' })
  expect(code).toBe(0)
  expect(stderr).toMatch(/NAME +NOW +THEN/)
  expect(stderr).toMatch(/runs .* +run +refused .*keywords: none of the keywords is of interest/)
  expect(stderr).toMatch(/waits .* +parked +run .*keywords: fits/)
  expect(stderr).toMatch(/Would stop: "runs .*"\. Would start: "waits"\.\nPut c\.json in force\? \[y\/N\]/)
  expect(stderr).not.toContain('\u001b[31m')
  expect(stdout).toMatch(/Policy [0-9a-f]{12} is in force; 2 services change\./)
  expect(shell.node.applied).toEqual(['{ "KEYWORDS": ["web"] } // mine\n'])
})

test('policy apply: what moves to another executor does not count as stopping', async ({ candidate: shell }) => {
  const [, runs] = CHANGES
  shell.node.changes = [{ ...(runs as Change), name: 'moves', to: 'parked', moves: 'host' }]
  const { stderr } = await shell.run('policy apply c.json', { answer: 'n\n' })
  expect(stderr).toMatch(/moves .* +run +run on the host /)
  expect(stderr).toContain('Nothing that runs would stop. Would end and start again with another executor: "moves".')
})

test('policy apply: of what must claim a replica first is not said that it starts', async ({ candidate: shell }) => {
  const [waits] = CHANGES
  shell.node.changes = [waits as Change, { ...(waits as Change), name: 'maybe', claims: true }]
  const { stderr } = await shell.run('policy apply c.json', { answer: 'n\n' })
  expect(stderr).toMatch(/maybe .* +parked +run, or stand by /)
  expect(stderr).toContain('Would start: "waits". Would start, or stand by where nearer nodes run it: "maybe".')
})

test.for(['n\n', '\n', 'yesterday\n', ''])(
  'policy apply: the answer %j is no',
  async (answer, { candidate: shell }) => {
    const { code, stderr } = await shell.run('policy apply c.json', { answer })
    expect([code, shell.node.applied]).toEqual([1, []])
    expect(stderr).toContain('Nothing was changed.')
  },
)

test('policy apply: where nobody can be asked it is refused; --yes does not ask', async ({ candidate: shell }) => {
  await shell.refused('policy apply c.json', /cannot ask for confirmation.*add --yes/, { lines: 7 })
  const json = await shell.json('policy apply c.json', { answer: 'y\n' })
  expect([json.code, json.values, shell.node.applied]).toEqual([2, [], []])
  const { code, values } = await shell.json('policy apply c.json --yes')
  const counts = { more: 0, notAsked: 0, forgotten: 0, background: 0 }
  const applied = { inForce: true, hash: expect.any(String), preview: CHANGES, changes: CHANGES, ...counts }
  expect([code, values]).toEqual([0, [applied]])
  expect(shell.node.applied).toHaveLength(1)
})

test("policy apply: the node's refusal is the command's", async ({ candidate: shell }) => {
  shell.node.applyPolicy = () => Promise.reject(new InputError('services.json is not JSON'))
  const { code, stderr } = await shell.run('policy apply c.json --yes')
  expect([code, stderr.trim().split('\n').at(-1)]).toEqual([2, 'services.json is not JSON'])
})

test('policy apply: a node whose answers are not understood gets an error', async ({ candidate: shell }) => {
  shell.node.previewPolicy = async () => [{ what: 'else' }] as never
  const { code, stderr } = await shell.run('policy apply c.json --yes')
  expect(code).toBe(1)
  expect(stderr).toMatch(/is not what this version understands/)
  expect(shell.node.applied).toEqual([])
})

test('policy test asks the node that runs for its executors and what is free', async ({ candidate: shell }) => {
  const total = { MEMORY: '1GiB', CPU: 1000, DISK: '1GiB', PIDS: 64, RUNS: 2 }
  writeFileSync(shell.path('c.json'), JSON.stringify({ LIMITS: { TOTAL: total } }))
  writeFileSync(shell.path('s.json'), JSON.stringify({ name: 'x', toolchain: ['node'], run: { command: ['x'] } }))
  const capacity = { memoryBytes: -(2 ** 20), cpuMillicores: 0, diskBytes: 0, pids: 0, runs: -1 }
  const view = shell.node.policy()
  const executors = [{ name: 'docker' as const, note: 'engine 20' }]
  shell.node.policy = () => ({ ...view, facts: { ...view.facts, capacity: { ...capacity, executors } } })
  const { values } = await shell.json('policy test c.json --service s.json')
  expect(values[0]).toMatchObject({
    assumed: expect.arrayContaining(['it is received by the node that runs now']),
    facts: { own: shell.node.address, capacity: { memoryBytes: 2 ** 30 - 2 ** 20, runs: 1, executors } },
  })
})

test('policy show: what each rule said, what is free, and what waits', async ({ candidate: shell }) => {
  const { stdout } = await shell.run('policy show')
  expect(stdout).toMatch(/policy: +[0-9a-f]{64}/)
  expect(stdout).toMatch(/keywords +enforce +3 +1 +0 +2/)
  expect((await shell.json('policy show')).values[0]).toMatchObject({ facts: { config: { DESC_MAX_LEN: 200 } } })
})

async function operatorFolder(shell: Shell): Promise<string> {
  const dir = shell.path('operator')
  await initFolder(dir, { node: { API: '127.0.0.1:0' } })
  shell.env.THUNDERCLOUD_DIR = dir
  return dir
}

test('policy apply without a node: replaces the file, and keeps the one before', async ({ shell }) => {
  const dir = await operatorFolder(shell)
  const config = `${dir}/runners/andromeda/config.json`
  const before = readFileSync(config, 'utf8')
  writeFileSync(shell.path('c.json'), '{"KEYWORDS":["web"]}')
  const asked = await shell.run('policy apply c.json', { answer: 'n\n' })
  expect([asked.code, readFileSync(config, 'utf8')]).toEqual([1, before])
  expect(asked.stderr).toContain(`No node runs in ${dir}`)
  const { code, stdout } = await shell.run('policy apply c.json --yes')
  expect([code, stdout]).toEqual([0, expect.stringContaining('it is in force when the node is started')])
  expect(readFileSync(config, 'utf8')).toBe('{"KEYWORDS":["web"]}')
  expect(readFileSync(`${config}.previous`, 'utf8')).toBe(before)
})

test('policy apply without a node: needs a folder, and a runner that can be loaded', async ({ shell }) => {
  writeFileSync(shell.path('c.json'), '{}')
  expect((await shell.run('policy apply c.json --yes')).code).toBe(2)
  const dir = await operatorFolder(shell)
  writeFileSync(`${dir}/runners/andromeda/runner.js`, 'export const nothing = 1')
  const { code, stderr } = await shell.run('policy apply c.json --yes')
  expect([code, stderr]).toEqual([1, expect.stringContaining('has no default export')])
  expect(existsSync(`${dir}/runners/andromeda/config.json.previous`)).toBe(false)
})

test('what is parked: list, status and explain say what wakes it, and until when', async ({ withNode: shell }) => {
  const id = await shell.receive(shell.node.signer)
  const now = Math.floor(Date.now() / 1000)
  const on = [{ on: 'capacity' as const }, { on: 'freeze' as const, chain: 'btc' }]
  shell.node.put({ ...shell.node.service(id), state: 'parked', parked: { since: now - 60, until: now + 7200, on } })
  const words = 'until there is capacity or an amount is frozen on btc'
  expect((await shell.run('list')).stdout).toContain(`parked ${words}, redirected`)
  expect((await shell.run('status hello')).stdout).toMatch(new RegExp(`parked: +1m .* ago, ${words}, for (2h|1h 59m)`))
  const { stdout } = await shell.run('explain hello --history')
  expect(stdout).toMatch(new RegExp(`Parked 1m .* ago, ${words}, for`))
  expect(stdout).toMatch(
    /DECIDED \(UTC\) +POLICY +VERDICT\n.* abababababab +not run here, redirected\n.* cdcdcdcdcdcd +the runner failed: it threw/,
  )
  const wouldBe = await shell.run('explain hello --now')
  expect(wouldBe.stdout).toMatch(/this is what would be decided now[\s\S]*Until the next decision it stays parked: 1m /)
  expect((await shell.json('explain hello')).values[0]).not.toHaveProperty('history')
})

test('what is parked at a node that is drained waits for the end of the drain, whatever else it waits for', async ({
  withNode: shell,
}) => {
  const id = await shell.receive(shell.node.signer)
  const now = Math.floor(Date.now() / 1000)
  const parked = (...on: WakeCondition[]) =>
    shell.node.put({
      ...shell.node.service(id),
      state: 'parked',
      parked: { since: now - 60, until: now + 7200, on, drained: true },
    })
  const over = 'the drain of this node is over (thundercloud undrain)'
  parked({ on: 'capacity' })
  expect((await shell.run('list')).stdout).toContain(`parked until ${over}, redirected`)
  expect((await shell.run('explain hello')).stdout).toContain(`, until ${over}, for`)
  parked({ on: 'capacity' }, { on: 'replica' })
  expect((await shell.run('status hello')).stdout).toContain(`until a replica is missing and ${over}`)
  const reason = { rule: 'drain', outcome: 'defer', message: 'this node is drained' } as const
  const verdict = { run: false as const, redirect: true, park: [{ on: 'capacity' as const }], reasons: [reason] }
  const explained = await shell.node.explain(id)
  shell.node.explain = async () => ({ ...explained, verdict })
  expect((await shell.run('explain hello')).stdout).toContain(`not run here, parked until ${over}`)
})

test('status of a task that ended here says what it left, and until when that is kept', async ({ withNode: shell }) => {
  const id = await shell.receive(shell.node.signer)
  const now = Math.floor(Date.now() / 1000)
  const run = { runId: 'r', executor: 'host', state: 'exited', since: now - 60, exitCode: 0, restarts: 0 } as const
  const task = {
    ...shell.node.service(id),
    kind: 'task',
    state: 'done',
    run: { ...run, network: { mode: 'none' } },
  } as const
  shell.node.put(task)
  expect((await shell.run('status hello')).stdout).not.toContain('results')
  const left = { service: id, name: 'hello', files: 2, bytes: 2048, complete: true, at: now, expires: now + 7200 }
  shell.node.results.get = () => ({ ...left, code: task.code })
  expect((await shell.run('status hello')).stdout).toMatch(
    /results: +2 files, 2 KiB, which expire in .*: `thundercloud results hello`/,
  )
  shell.node.results.get = () => ({ ...left, complete: false, detail: 'they are too large\u001b[2J' })
  expect((await shell.run('status hello')).stdout).toMatch(/results: +none are kept: they are too large.*$/m)
})

test('what is parked: a rule that only warned is shown as such', async ({ withNode: shell }) => {
  const id = await shell.receive(shell.node.signer)
  const reason = { rule: 'price', outcome: 'pass', message: 'would be too cheap', warned: 'fail' } as const
  const verdict = { run: false as const, redirect: true, reasons: [reason] }
  const explained = await shell.node.explain(id)
  shell.node.explain = async () => ({ ...explained, verdict })
  expect((await shell.run('explain hello')).stdout).toMatch(/warn +price +would be too cheap/)
})

test('Ctrl-C in the middle of a replay ends it with 130, and nothing of it stays', async ({ shell }) => {
  const { dir, config } = await folderWithJournal(shell, 600)
  mkdirSync(shell.path('slow'))
  writeFileSync(shell.path('slow/r.mjs'), 'export default () => new Promise(() => {})')
  const before = readdirSync(dir, { recursive: true }).sort()
  const line = `--dir ${dir} policy replay ${config} --runner ${shell.path('slow/r.mjs')} --executors host`
  await using program = runProgram(line.split(' '), { env: shell.env })
  const children = await childrenOf(program.child.pid)
  expect(children.length).toBe(2)
  program.child.kill('SIGINT')
  expect(await program.ended()).toBe(130)
  expect(children.filter((pid) => isAlive(pid))).toEqual([])
  expect(readdirSync(dir, { recursive: true }).sort()).toEqual(before)
})

/** Both runner processes, once they are there. */
async function childrenOf(pid: number | undefined): Promise<number[]> {
  const file = `/proc/${pid}/task/${pid}/children`
  return await expect
    .poll(() => readFileSync(file, 'utf8').trim().split(' ').filter(Boolean), { timeout: 45_000 })
    .toHaveLength(2)
    .then(() => readFileSync(file, 'utf8').trim().split(' ').map(Number))
}
