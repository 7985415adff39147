import { chmodSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import type { Change, Reevaluation } from '../../../src/admission/views.ts'
import { systemClock } from '../../../src/base/clock.ts'
import { InputError } from '../../../src/base/errors.ts'
import { silentLog } from '../../../src/base/log.ts'
import { type Configuration, initFolder, loadConfiguration } from '../../../src/config/index.ts'
import { createPolicyManager } from '../../../src/policy/manager.ts'
import { serviceOf, snapshotOf } from '../../fixtures/runner/runners.ts'

const CHANGE: Change = { id: 'bafy', name: 'hello', author: 'me', from: 'run', to: 'refused', reasons: [] }

/** An operator's folder, and an engine in front of a node that keeps what it received. */
async function world(runner?: string) {
  const root = await mkdtemp(join(tmpdir(), 'tc-engine-'))
  const dir = join(root, 'node')
  await initFolder(dir)
  const file = join(dir, 'runners/andromeda/config.json')
  if (runner !== undefined) writeFileSync(join(dir, 'runners/andromeda/runner.js'), runner)
  const configuration: { -readonly [Key in keyof Configuration]: Configuration[Key] } = (await loadConfiguration(dir))
    .configuration
  const inForce: string[] = []
  const node = {
    problem: undefined as Error | undefined,
    preview: (async (ask, config) => {
      const { reasons } = await ask(serviceOf({ keywords: ['game'] }), snapshotOf(config))
      const changes = reasons.some(({ outcome }) => outcome === 'fail') ? [{ ...CHANGE, reasons }] : []
      return { changes, more: 0, asked: 1, notAsked: 0, forgotten: 0 }
    }) satisfies Reevaluation['preview'],
  }
  const engine = createPolicyManager(
    {
      clock: systemClock(),
      log: silentLog(),
      reevaluation: { preview: (ask, config) => node.preview(ask, config) },
      runner: { decide: () => Promise.reject(new Error('the runner in force is not asked about a candidate')) },
      history: { intend: () => {}, forgetIntent: () => {} },
      trust: { assume: (encoded) => ({ encoded }) },
      async reload() {
        const { problem } = node
        node.problem = undefined
        if (problem !== undefined) throw problem
        inForce.push(readFileSync(file, 'utf8'))
        return { changes: [CHANGE], background: 0 }
      },
    },
    { configuration: () => configuration },
  )
  const before = readFileSync(file, 'utf8')
  const files = { file, before, [Symbol.asyncDispose]: () => rm(root, { recursive: true }) }
  return { engine, node, configuration, inForce, ...files }
}

test('a preview: asks the candidate itself, and leaves everything as it is', async () => {
  await using it = await world()
  const { changes } = await it.engine.preview('{ "KEYWORDS": ["web"] } // try')
  expect(changes[0]?.reasons.find(({ rule }) => rule === 'keywords')).toMatchObject({ outcome: 'fail' })
  expect(readFileSync(it.file, 'utf8')).toBe(it.before)
  expect(it.inForce).toEqual([])
})

test("a preview: a runner that does not go with it is the operator's to mend", async () => {
  await using it = await world('export default (s, n) => { if (n.config.DESC_MAX_LEN === 7) throw new Error("seven") }')
  await expect(it.engine.preview('{ "DESC_MAX_LEN": 7 }')).rejects.toThrow(InputError)
  await using broken = await world('export const x = missing')
  await expect(broken.engine.preview('{}')).rejects.toThrow(/cannot be imported: .*missing is not defined/)
  await expect(broken.engine.apply('{}')).rejects.toThrow(InputError)
  expect(readFileSync(broken.file, 'utf8')).toBe(broken.before)
})

test.each(['js', 'ts'])(
  'a runner in %s loads in a folder within a CommonJS project, as `npm init` makes one',
  async (language) => {
    await using it = await world()
    const andromeda = dirname(it.file)
    writeFileSync(join(andromeda, '../../../package.json'), '{ "type": "commonjs" }')
    // as init of the version before left it
    rmSync(join(andromeda, 'package.json'))
    writeFileSync(join(andromeda, `helper.${language}`), 'export const words = []')
    const entry = join(andromeda, `runner.${language}`)
    writeFileSync(
      entry,
      `import { words } from './helper.${language}'\nexport { default } from 'thundercloud/andromeda'\nwords.sort()`,
    )
    it.configuration.runner = { ...it.configuration.runner, entry }
    expect(await it.engine.preview('{}')).toMatchObject({ asked: 1 })
  },
)

test('applying: replaces the file as it was written, keeps the one before, and tells what changed', async () => {
  await using it = await world()
  chmodSync(it.file, 0o600)
  const text = '{\n  // for a while\n  "KEYWORDS": ["web"]\n}\n'
  expect((await it.engine.apply(text)).changes).toEqual([CHANGE])
  expect(it.inForce).toEqual([text])
  expect(readFileSync(`${it.file}.previous`, 'utf8')).toBe(it.before)
  await it.engine.apply(text)
  expect(readFileSync(`${it.file}.previous`, 'utf8')).toBe(it.before)
})

test('applying: what is wrong touches nothing', async () => {
  await using it = await world()
  for (const text of ['', '{', '[]', '{"KEYWORDS":7}', '{"KEYWORD":[]}']) {
    await expect(it.engine.apply(text)).rejects.toThrow(InputError)
  }
  expect(readFileSync(it.file, 'utf8')).toBe(it.before)
  expect(existsSync(`${it.file}.previous`)).toBe(false)
})

test('applying: the file is as it was where the node cannot take it', async () => {
  await using it = await world()
  it.node.problem = new InputError('services.json is not JSON')
  await expect(it.engine.apply('{ "KEYWORDS": ["web"] }')).rejects.toThrow('services.json is not JSON')
  expect(readFileSync(it.file, 'utf8')).toBe(it.before)
  // and the node has read the old one again
  expect(it.inForce).toEqual([it.before])
})

test('applying: two at once follow one another: the last one is in force, complete', async () => {
  await using it = await world()
  const texts = ['{ "DESC_MAX_LEN": 1 }', '{ "DESC_MAX_LEN": 2 }', '{ "DESC_MAX_LEN": 3 }']
  await Promise.all(texts.map((text) => it.engine.apply(text)))
  expect(it.inForce).toEqual(texts)
  expect([readFileSync(it.file, 'utf8'), readFileSync(`${it.file}.previous`, 'utf8')]).toEqual([texts[2], texts[1]])
})
