import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { freePort } from '../../fixtures/net.ts'
import { blocksOf, commandsOf } from './blocks.ts'
import type { Mesh } from './mesh.ts'
import type { Background, Shell } from './shell.ts'

export type Stage = { readonly shell: Shell; readonly mesh: Mesh; readonly cwd: string; readonly port: number }

/** What is expected of a command. Without any of these: that it ends with exit code 0. */
export type Step = {
  /** what others do before it, or what the text around it says */
  readonly before?: string
  /** in its output */
  readonly prints?: RegExp
  readonly code?: number
  /** typed after it, in the same shell; this is what ends with the code */
  readonly followedBy?: string
  /** it is repeated until it is as expected: it tells of something that other nodes do */
  readonly eventually?: true
  /** it goes on: what it prints when it is ready */
  readonly until?: RegExp
  /** a command that goes on is stopped at once, and not at the end of the document */
  readonly stop?: true
}

export type Scenario = {
  readonly document: string
  /** whether this machine has what its commands need */
  readonly needs?: () => boolean
  /** below the folder of the document */
  readonly cwd?: string
  /** what stands for something of the reader's in the document, and what it is here */
  readonly replace?: (stage: Stage) => Readonly<Record<string, string>>
  /** to the commands; the mesh's where it is absent */
  readonly env?: Readonly<Record<string, string>>
  readonly prepare?: (stage: Stage) => Promise<void> | void
  /** every command of the document, as it is written there */
  readonly steps: Readonly<Record<string, Step>>
}

/** Does what a document says, command by command. */
export async function play(scenario: Scenario, shell: Shell, mesh: Mesh): Promise<void> {
  const cwd = shell.path(`in-${scenario.document.replaceAll(/\W/g, '-')}`)
  mkdirSync(cwd)
  const stage = { shell, mesh, cwd, port: await freePort() }
  await scenario.prepare?.(stage)
  const background: Background[] = []
  const blocks = blocksOf(scenario.document)
  for (const [index, block] of blocks.entries()) {
    if (block.language !== 'sh' || block.notRun !== undefined) continue
    let output = ''
    let folder = scenario.cwd ?? cwd
    for (const command of commandsOf(block)) {
      const [, inside] = /^cd (\S+)$/.exec(command) ?? []
      if (inside === undefined) output = await perform(scenario, { ...stage, cwd: folder }, command, background)
      else folder = join(folder, inside)
    }
    const shown = blocks[index + 1]
    if (shown?.language === '') expect(withoutChance(output)).toContain(withoutChance(shown.text))
  }
  for (const running of background) expect([0, 130]).toContain((await running.interrupt()).code)
}

async function perform(scenario: Scenario, stage: Stage, command: string, background: Background[]): Promise<string> {
  const { shell, mesh } = stage
  const step = scenario.steps[command]
  if (step === undefined) throw new Error(`${scenario.document}: "${command}" has no step and no "not run" mark`)
  const options = { cwd: stage.cwd, env: scenario.env ?? mesh.env }
  if (step.before !== undefined) {
    const done = await shell.run(`set -e\n${step.before}`, { cwd: options.cwd, env: { ...mesh.env, ...scenario.env } })
    expect(done, step.before).toMatchObject({ code: 0 })
  }
  const replaced = Object.entries(scenario.replace?.(stage) ?? {}).reduce(
    (text, [from, to]) => text.replaceAll(from, to),
    command,
  )
  const typed = step.followedBy === undefined ? replaced : `${replaced}\n${step.followedBy}`

  if (step.until !== undefined) {
    const running = shell.start(`exec ${typed}`, options)
    const output = await running.prints(step.until)
    if (step.stop === true) expect([0, 130]).toContain((await running.interrupt()).code)
    else background.push(running)
    return output
  }
  const expected = { code: step.code ?? 0, output: expect.stringMatching(step.prints ?? /^/) }
  if (step.eventually === true) {
    await expect.poll(() => shell.run(typed, options), { timeout: 120_000 }).toMatchObject(expected)
    return ''
  }
  const done = await shell.run(typed, options)
  expect(done, command).toMatchObject(expected)
  return done.output
}

/** Times, ids, ports and what a sandbox is differ each time and on each machine. */
function withoutChance(text: string): string {
  return text
    .replaceAll(/ *(?:\d+\.\d s|\d+m \d+s) /g, ' TIME ')
    .replaceAll(/12D3Ko[\w…]+/g, 'PEER')
    .replaceAll(/bafy[\w…]+/g, 'CID')
    .replaceAll(/\/tcp\/\d+/g, '/tcp/PORT')
    .replaceAll(/("uptimeSeconds":)[\d.]+/g, '$1SECONDS')
    .replaceAll(/(sandbox +).*/g, '$1SANDBOX')
    .replaceAll(/(runs it with ).*/g, '$1SANDBOX')
    .trimEnd()
}
