import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { textOf } from '../../fixtures/process/proc.ts'
import { type Program, runNode } from '../../fixtures/program/process.ts'

const MAIN = join(import.meta.dirname, '../../../src/cli/main.ts')
const SCENARIO = {
  title: 'Three nodes',
  ...{ nodes: 3, seconds: 5 },
  groups: [{ name: 'all', share: 1, policy: { REDIRECT: 'always' } }],
  topology: { kind: 'random-regular', degree: 2 },
  instructions: [{ at: 0, do: 'publish', from: { node: 0 } }],
}
const AGAIN = {
  run: 'Nothing was kept: only --out keeps what was measured by then. The same command begins again from the start.\n',
  verify: 'Nothing was compared; the same command runs FOLDER again from the start.\n',
  replay: 'It was not at graylisted yet; the same command begins again from the start.\n',
}

test('Ctrl-C in a run that is not kept, a check or a replay says how to begin again, and leaves nothing', async ({
  onTestFinished,
}) => {
  const root = await mkdtemp(join(tmpdir(), 'tc-interrupt-'))
  onTestFinished(() => rm(root, { recursive: true, force: true }))
  const [temporary, file, folder] = [join(root, 'tmp'), join(root, 's.json'), join(root, 'out')]
  mkdirSync(temporary)
  const start = (...line: string[]) =>
    runNode(['--conditions=thundercloud-source', '--no-warnings', MAIN, 'sim', ...line], {
      env: { HOME: join(root, 'home'), TMPDIR: temporary },
    })
  const write = (path: string, change: object) =>
    writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, 'utf8')), ...change }))
  writeFileSync(file, JSON.stringify(SCENARIO))
  await using whole = start('run', file, '--engine', 'simulated', '--events', 'none', '--out', folder)
  expect(await whole.ended()).toBe(0)
  // thirty days take longer than any test
  for (const path of [file, join(folder, 'scenario.json')]) write(path, { seconds: 2_592_000 })
  const before = readdirSync(folder)

  const lines = {
    run: ['run', file, '--engine', 'simulated'],
    verify: ['verify', folder],
    replay: ['replay', folder, '--until', 'graylisted'],
  }
  for (const [name, line] of Object.entries(lines)) {
    await using program = start(...line)
    await expect.poll(() => simulationsOf(program), { timeout: 60_000 }).toHaveLength(1)
    const [child = 0] = simulationsOf(program)
    expect([name, await program.end('SIGINT'), program.stdout]).toEqual([name, 130, ''])
    expect(program.stderr).toBe(AGAIN[name as keyof typeof AGAIN].replace('FOLDER', folder))
    // one that has ended and waits for its parent has no command line
    expect(textOf(`/proc/${child}/cmdline`)).toBe('')
  }
  expect(readdirSync(folder)).toEqual(before)
  expect(readdirSync(temporary).filter((name) => name.startsWith('thundercloud'))).toEqual([])
})

/** Its children in which a simulation runs; none once it has ended. */
function simulationsOf({ child: { pid } }: Program): number[] {
  const children = textOf(`/proc/${pid}/task/${pid}/children`).split(' ').filter(Boolean).map(Number)
  return children.filter((id) => textOf(`/proc/${id}/cmdline`).includes('simulation/process/main'))
}
