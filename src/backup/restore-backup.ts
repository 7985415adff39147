import { chmod, copyFile, readFile, stat } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { extract } from 'tar'
import { type Clock, nowSeconds } from '../base/clock.ts'
import { InputError } from '../base/errors.ts'
import { silentLog } from '../base/log.ts'
import { makeStagingFolder } from '../base/os/staging-folder.ts'
import type { Rng } from '../base/rng.ts'
import {
  API_TOKEN_FILE,
  createFolder,
  type Env,
  loadEndpoint,
  makeFolder,
  newToken,
  refuseUnlessEmpty,
  writeSecret,
} from '../config/index.ts'
import { markRestored, openJournal } from '../journal/index.ts'
import { CONTENTS_FILE, type Contents, contentsSchema, FOLDER, JOURNAL_FILE } from './contents.ts'
import { openSealed } from './sealed-file.ts'

export type RestoreInit = {
  readonly passphrase: string
  readonly env: Env
  readonly signal?: AbortSignal | undefined
}

/** A backup that was opened: what it holds is unpacked beside the folder that it is for. Disposing removes that. */
export interface OpenedBackup extends AsyncDisposable {
  readonly contents: Contents
  /** Makes the folder, in one step. */
  restore(): Promise<void>
}

/**
 * Opens a backup for a folder that is not there, or is empty. What the node signs later is above what the original may have
 * signed since: versions of its services, and tasks that may have begun there (`journal/backup/restore-mark.ts`).
 */
export async function openBackup(
  { clock, rng }: { clock: Clock; rng: Rng },
  file: string,
  dir: string,
  { passphrase, env, signal }: RestoreInit,
): Promise<OpenedBackup> {
  await refuseUnlessEmpty(dir)
  const target = resolve(dir)
  await using opened = new AsyncDisposableStack()
  await makeFolder(dirname(target))
  const { dir: stage } = opened.use(await makeStagingFolder(target, 'restore'))
  const archive = join(stage, 'archive')
  await openSealed(file, archive, { passphrase, signal })
  await extract({ cwd: stage, file: archive, strict: true, preserveOwner: false })
  const contents = contentsSchema.parse(JSON.parse(await readFile(join(stage, CONTENTS_FILE), 'utf8')))
  const resources = opened.move()

  async function fill(folder: string): Promise<void> {
    for (const { path, mode } of contents.files) {
      signal?.throwIfAborted()
      const place = join(folder, path)
      await makeFolder(dirname(place))
      await copyFile(join(stage, FOLDER, path), place)
      await chmod(place, mode)
    }
    await writeSecret(join(folder, API_TOKEN_FILE), newToken(rng))
    const { dataDir } = await loadEndpoint(folder, { env, signal })
    await makeFolder(dataDir, 0o700)
    const journal = join(dataDir, JOURNAL_FILE)
    if ((await stat(journal).catch(() => undefined)) !== undefined) {
      throw new InputError(`${journal} is there already: DATA names a folder of another node; move it away`)
    }
    await copyFile(join(stage, JOURNAL_FILE), journal)
    using kept = openJournal({ path: journal, clock, log: silentLog() })
    markRestored(kept.meta, nowSeconds(clock))
  }

  return {
    contents,
    restore: () => createFolder(dir, { rng, signal }, fill),
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  }
}
