import { copyFile, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { create } from 'tar'
import { formatAddress, peerIdOf } from '../../protocols/address.ts'
import { type Clock, nowSeconds } from '../base/clock.ts'
import { InputError } from '../base/errors.ts'
import { silentLog } from '../base/log.ts'
import { makeStagingFolder } from '../base/os/staging-folder.ts'
import type { Rng } from '../base/rng.ts'
import { loadIdentity, makeFolder } from '../config/index.ts'
import { backupJournal, openJournal } from '../journal/index.ts'
import { CONTENTS_FILE, type Contents, FOLDER, JOURNAL_FILE } from './contents.ts'
import { listOperatorFiles } from './operator-files.ts'
import { checkPassphrase, writeSealed } from './sealed-file.ts'

export type BackupInit = {
  /** the operator's folder, and where its node keeps its state */
  readonly dir: string
  readonly dataDir: string
  readonly network: string
  readonly version: string
  readonly passphrase: string
  readonly multiaddrs: readonly string[]
  readonly neighbours: readonly string[]
  readonly signal?: AbortSignal | undefined
}

/** `left`: what of the folder is no plain file, and is not in the backup. */
export type BackupResult = Contents & { readonly left: readonly string[] }

/**
 * Writes what a node needs to be the same node elsewhere: identity, settings, policy, journal. The node may run. `file` is
 * encrypted, only its owner may read it, and it is whole or not there.
 */
export async function createBackup(
  { clock, rng }: { clock: Clock; rng: Rng },
  file: string,
  init: BackupInit,
): Promise<BackupResult> {
  const { dir, dataDir, network, version, passphrase, signal } = init
  checkPassphrase(passphrase)
  const { signer } = await loadIdentity(dir, { signal })
  const journal = join(dataDir, JOURNAL_FILE)
  if ((await stat(journal).catch(() => undefined))?.isFile() !== true) {
    throw new InputError(`${journal} is not there; start the node once, then make the backup`)
  }
  const { files, left } = await listOperatorFiles(dir, dataDir)
  await using stage = await makeStagingFolder(file, 'backup')
  await backupJournal(journal, join(stage.dir, JOURNAL_FILE))
  for (const { path } of files) {
    signal?.throwIfAborted()
    const copy = join(stage.dir, FOLDER, path)
    await makeFolder(dirname(copy), 0o700)
    await copyFile(join(dir, path), copy)
  }
  const contents: Contents = {
    ...{ format: 1, madeAt: nowSeconds(clock), version, network },
    ...{ peerId: peerIdOf(signer.address), address: formatAddress(signer.address) },
    ...{ multiaddrs: [...init.multiaddrs], neighbours: [...init.neighbours] },
    ...{ codes: codesIn(clock, join(stage.dir, JOURNAL_FILE)), files },
  }
  await writeFile(join(stage.dir, CONTENTS_FILE), JSON.stringify(contents))
  const archive = create({ cwd: stage.dir, gzip: true, portable: true }, [CONTENTS_FILE, JOURNAL_FILE, FOLDER])
  await writeSealed(file, archive, { passphrase, rng, signal })
  return { ...contents, left }
}

/** What its live publications need. The copy is opened, and never the node's own file. */
function codesIn(clock: Clock, path: string): string[] {
  using journal = openJournal({ path, clock, log: silentLog() })
  return journal.published.liveCodes(nowSeconds(clock))
}
