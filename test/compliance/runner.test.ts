import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { type CheckName, type CheckOptions, checkRunner } from '../../src/exports/runner-kit.ts'

/** Settings under which Andromeda runs the kit's example. */
const config = {
  REDIRECTION_DEPTH: 3,
  PREFER_TOOLCHAIN: { docker: ['node.js'], host: ['node.js'] },
  LIMITS: { TOTAL: { MEMORY: '512MiB', CPU: 1000, DISK: '1GiB', PIDS: 64, RUNS: 4 } },
}

async function check(code: string, options: CheckOptions = {}) {
  const dir = mkdtempSync(join(tmpdir(), 'thundercloud-kit-'))
  try {
    writeFileSync(join(dir, 'runner.mjs'), code)
    return await checkRunner(join(dir, 'runner.mjs'), { config, ...options })
  } finally {
    rmSync(dir, { recursive: true })
  }
}

it.each([
  ['with the settings of the example', config],
  ['with every default', {}],
  ['with much more to decide', { ...config, KEYWORDS: ['api'], REDIRECT: 'always', TRUST_TREE: { ROOTS: {} } }],
])('Andromeda: keeps the contract of runners, %s', async (_name, settings) => {
  const accepts = 'LIMITS' in settings ? { accepts: { service: { keywords: ['API'] } } } : {}
  const code = `export { default } from 'thundercloud/andromeda'`
  const report = await check(code, { config: settings, deterministic: true, ...accepts })
  expect(report.text).not.toContain('FAIL')
  expect(report.ok).toBe(true)
  const skipped = report.checks.filter(({ outcome }) => outcome === 'skip').map(({ name }) => name)
  expect(skipped).toEqual('LIMITS' in settings ? [] : ['grants', 'accepts'])
})

it('the first form: passes, with a note that it gives no reasons', async () => {
  const code = `export default async service => {
    if (typeof service.title === 'string' && service.desc.length < RUNNER_CONFIGS.DESC_MAX_LEN) LOG({ data: service.desc }, 'CD')
  }`
  const report = await check(code)
  expect(report.ok, report.text).toBe(true)
  expect(report.checks.find(({ name }) => name === 'reasons')).toMatchObject({ outcome: 'skip' })
})

/** A verdict in the code of a runner. */
const no = (more = '') =>
  `({ run: false, redirect: true, reasons: [{ rule: 'mine', outcome: 'fail', message: 'no' }], ${more} })`
const grant = (more = '') =>
  `({ executor: 'docker', memoryBytes: s.resources.memory, cpuMillicores: s.resources.cpu, diskBytes: s.resources.disk, pids: s.resources.pids, network: { mode: 'none' }, ${more} })`
const yes = (more = '') =>
  `({ run: ${grant(more)}, redirect: false, reasons: [{ rule: 'mine', outcome: 'pass', message: 'yes' }] })`
/** Runs what fits and is the node's own. */
const careful = (more = '') =>
  `(s.author === n.own && n.capacity.runs > 0 && n.capacity.executors.length > 0 && s.resources.memory <= Math.min(n.capacity.memoryBytes, n.config.LIMITS.SERVICE.MEMORY) ? ${yes(more)} : ${no()})`

const LIMITS = { timeoutMs: 800 }
it.each<[string, CheckName, string, RegExp, CheckOptions?]>([
  ['exports nothing', 'loads', 'export const a = 1', /has no default export/],
  ['throws', 'answers', 'export default s => s.nothing.at(0)', /threw TypeError.*runner\.mjs:1/],
  ['hangs', 'answers', 'export default s => { for (;;); }', /no answer within 800 ms/],
  ['dies', 'answers', 'export default s => process.exit(1)', /ended with code 1/],
  [
    'trusts that there are words',
    'hostile',
    `export default s => { s.keywords[0].trim(); return ${no()} }`,
    /^must|an empty one on a node with capacity: the runner threw/,
  ],
  [
    'walks into names of Object.prototype',
    'hostile',
    `export default s => { for (const w of s.toolchain) if ({}[w]) ({})[w].length.toFixed(); ({ a: 1 })[s.keywords[1]]?.(7n).x.y; return ${no()} }`,
    /named|Object\.prototype/,
  ],
  [
    'takes its time',
    'in-time',
    `export default async s => { await new Promise(r => setTimeout(r, 500)); return ${no()} }`,
    /\d+ ms; .*it has 800 ms/,
  ],
  ['answers nonsense', 'shape', `export default s => ({ run: 'yes' })`, /nonsense: run: must be a grant or false/],
  [
    'gives no reason',
    'reasons',
    `export default () => ({ run: false, redirect: true, reasons: [] })`,
    /no reason given/,
  ],
  [
    'refuses with nothing but praise',
    'reasons',
    `export default s => ({ run: false, redirect: true, reasons: [{ rule: 'a', outcome: 'pass', message: 'fine' }] })`,
    /no reason is a "fail" or a "defer"/,
  ],
  [
    'runs everybody',
    'fails-closed',
    `export default (s, n) => s.resources.memory < 1e9 && n.capacity.runs && n.capacity.executors.length ? ${yes()} : ${no()}`,
    /it would run/,
  ],
  [
    'looks at no capacity',
    'no-capacity',
    `export default (s, n) => s.author === n.own ? ${yes()} : ${no()}`,
    /no capacity at all/,
  ],
  [
    'gives what is not free',
    'grants',
    `export default (s, n) => s.author === n.own ? ${yes()} : ${no()}`,
    /run\.memoryBytes: is/,
  ],
  [
    'gives more than was asked',
    'grants',
    `export default (s, n) => ${careful('memoryBytes: s.resources.memory + 1')}`,
    /and 67108864 was asked for/,
  ],
  [
    'goes by the first key',
    'key-order',
    `export default s => Object.keys(s)[0] === 'id' ? ${no('rank: 1')} : ${no('rank: 2')}`,
    /another verdict with the keys in another order/,
  ],
  [
    'goes by how many it saw',
    'deterministic',
    `let seen = 0; export default s => ({ ...${no()}, rank: ++seen })`,
    /another verdict in another process/,
    { deterministic: true },
  ],
  ['refuses what it is said to run', 'accepts', `export default s => ${no()}`, /it refused: no/, { accepts: {} }],
  [
    'does not listen to its signal',
    'cancellation',
    `export default async s => { await new Promise(r => setTimeout(r, 1500)); return ${no()} }`,
    /still at work 700 ms after its signal aborted/,
    { limits: { timeoutMs: 4000 } },
  ],
  [
    'keeps all that it saw',
    'memory',
    `const all = []; export default s => { all.push(s); return ${no()} }`,
    /it keeps what it saw/,
  ],
])('a bad runner fails the check that is about it: %s: %s', async (_name, name, code, words, options) => {
  const report = await check(code, { limits: LIMITS, only: [name], ...options })
  const result = report.checks.find((other) => other.name === name)
  expect(result, report.text).toMatchObject({ outcome: 'fail' })
  expect(result?.detail).toMatch(words)
  expect(report.ok).toBe(false)
  expect(report.text).toContain(`FAIL  ${name}`)
})

it('the kit: leaves out what its author excepts, and says why', async () => {
  const code = `export default (s, n) => s.resources.memory < 1e9 && n.capacity.runs && n.capacity.executors.length ? ${yes()} : ${no()}`
  const except = { 'fails-closed': 'a machine to be thrown away' }
  const report = await check(code, { except, only: ['fails-closed'] })
  expect(report.ok, report.text).toBe(true)
  expect(report.text).toContain('skip  fails-closed  left out: a machine to be thrown away')
})

it('the kit: ends when its signal says so', async () => {
  const signal = AbortSignal.timeout(50)
  await expect(check('export default async () => { await new Promise(() => {}) }', { signal })).rejects.toThrow(
    /timeout/,
  )
})
