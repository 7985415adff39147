import { stat } from 'node:fs/promises'
import { dirname, relative, resolve } from 'node:path'
import { entryFile } from '../../base/child-entry.ts'
import { errnoOf, InputError } from '../../base/errors.ts'
import { loadPolicyDraft, loadRunnerLocation, NODE_FILE, type PolicyDraft } from '../../config/index.ts'
import type { RunnerModule } from '../../policy/candidate-runner.ts'
import type { Cli } from '../cli.ts'
import { text } from '../command.ts'
import { operatorFolder } from '../operator-folder.ts'

export const runnerOption = text('MODULE', "the runner that decides (default: the folder's, else Andromeda)")

/** The operator's folder, as far as it says where the runner is. Its policy may be the very thing that is wrong. */
export type OperatorFolder = Awaited<ReturnType<typeof loadRunnerLocation>>

/** What all commands about a candidate begin with. */
export type Candidate = {
  readonly draft: PolicyDraft
  /** as it was named */
  readonly file: string
  readonly folder: OperatorFolder | undefined
  readonly runner: RunnerModule & { readonly label: string }
}

export async function loadCandidate(cli: Cli, init: { file: string; runner: string | undefined }): Promise<Candidate> {
  const { cwd, signal } = cli
  const folder = await findFolder(cli)
  const draft = await loadPolicyDraft(resolve(cwd, init.file), { file: init.file, network: folder?.network, signal })
  return { draft, file: init.file, folder, runner: await runnerOf(cli, init.runner, folder) }
}

/** The folder that was named, or the one that is there anyway; undefined where none was named and none is there. */
export async function findFolder(cli: Cli): Promise<OperatorFolder | undefined> {
  const { globals, env, signal } = cli
  const dir = await operatorFolder(cli)
  const named = globals.dir !== undefined || (env.THUNDERCLOUD_DIR ?? '') !== ''
  if (!named && !(await isFile(resolve(dir, NODE_FILE)))) return undefined
  return await loadRunnerLocation(dir, { env, signal })
}

async function runnerOf(
  { cwd }: Cli,
  given: string | undefined,
  folder: OperatorFolder | undefined,
): Promise<Candidate['runner']> {
  const timeoutMs = folder === undefined ? undefined : folder.timeouts.VERDICT * 1000
  if (given !== undefined) {
    const entry = resolve(cwd, given)
    if (!(await isFile(entry))) throw new InputError(`--runner names ${given}, but there is no file ${entry}`)
    return { entry, dir: dirname(entry), network: folder?.runner.network ?? false, timeoutMs, label: given }
  }
  if (folder !== undefined) {
    const { entry, dir, network } = folder.runner
    return { entry, dir, network, timeoutMs, label: relative(folder.dir, entry) }
  }
  // the module that `runners/andromeda/runner.js` of a new folder re-exports
  const entry = entryFile(import.meta.url, '../../exports/andromeda')
  return { entry, dir: dirname(entry), network: false, timeoutMs, label: 'Andromeda' }
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFile()
  } catch (error) {
    if (errnoOf(error) === undefined) throw error
    return false
  }
}
