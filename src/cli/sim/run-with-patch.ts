import { addAbortListener } from 'node:events'
import { resolve } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { killGroup, startProcess } from '../../process/index.ts'
import { createPatchedSources, hasPatch, readPatch } from '../../simulation/index.ts'
import type { Cli } from '../cli.ts'
import { text } from '../command.ts'
import { OutcomeError } from '../errors.ts'

/** What it has after Ctrl-C to write what it found; a patch may have it compute for ever. */
const END_MS = 5000

export const patchOption = text(
  'DIFF',
  'a unified diff: the command runs in a copy of the sources of this checkout that has it',
)

/**
 * Runs the same command line in a copy of the sources that has the patch, and answers true when it has. False where there is no
 * patch, or this program is that copy: then the command is to be carried out here.
 */
export async function runWithPatch(cli: Cli, file: string | undefined): Promise<boolean> {
  if (file === undefined) return false
  const { clock, signal, out, cwd, env, argv } = cli
  const patch = await readPatch(resolve(cwd, file), file)
  if (await hasPatch(patch)) return false
  await using sources = await createPatchedSources(cli, { patch, name: file, signal })
  signal.throwIfAborted()
  using progress = out.progress('running with the patch')
  const child = startProcess(
    {
      ...{ kind: 'patched', program: process.execPath, args: [...sources.entry, ...argv], cwd },
      // what it keeps for a person is gone with the copy
      env: { HOME: sources.folder, TMPDIR: env.TMPDIR },
    },
    { stdio: ['ignore', 'pipe', 'pipe'], detached: true },
  )
  using _rest = { [Symbol.dispose]: () => killGroup(child) }
  using _interrupt = addAbortListener(signal, () => {
    child.kill('SIGINT')
    clock.after(END_MS, () => killGroup(child))
  })
  const ended = new Promise<number | null>((resolve, reject) => child.once('error', reject).once('exit', resolve))
  // the last line of one that fails is its error
  let last: string | undefined
  await Promise.all([
    ended.finally(() => killGroup(child)),
    eachLine(child.stdout, (line) => out.item(out.json ? (JSON.parse(line) as object) : {}, () => line)),
    eachLine(child.stderr, (line) => {
      if (last !== undefined) out.note(last)
      last = line
    }),
  ])
  progress[Symbol.dispose]()
  const code = await ended
  if (last !== undefined && (code === 0 || signal.aborted)) out.note(last)
  signal.throwIfAborted()
  if (code !== 0) throw new OutcomeError(errorOf(last, out.json), code ?? 1)
  return true
}

async function eachLine(stream: Readable | null, onLine: (line: string) => void): Promise<void> {
  if (stream !== null) for await (const line of createInterface({ input: stream })) onLine(line)
}

function errorOf(line: string | undefined, json: boolean): string {
  if (line === undefined) return 'the program with the patch ended without a message'
  return json ? ((JSON.parse(line) as { error?: string }).error ?? line) : line
}
