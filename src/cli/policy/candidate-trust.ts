import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseAddress } from '../../../protocols/address.ts'
import { decodeInput } from '../../base/decode-input.ts'
import { messageOf, ThundercloudError } from '../../base/errors.ts'
import type { RunnerConfig } from '../../config/index.ts'
import { readStatementFile } from '../../config/index.ts'
import { openJournalReader } from '../../journal/index.ts'
import { type CandidateTrust, openCandidateTrust, type TrustFacts } from '../../policy/candidate-trust.ts'
import type { Cli } from '../cli.ts'
import { networkNameOf } from '../network-name.ts'
import type { OperatorFolder } from './candidate.ts'

export type FolderTrustInit = {
  readonly own: string
  readonly config: RunnerConfig
  readonly folder: OperatorFolder | undefined
  readonly network: string | undefined
}

/** The statements that count under this policy: those in the folder's journal, where there is one. */
export async function openFolderTrust(
  cli: Cli,
  { own, config, folder, network }: FolderTrustInit,
): Promise<CandidateTrust> {
  const { clock, rng } = cli
  using reader = journalOf(cli, folder)
  const init = { network: await networkNameOf(cli, network), own: parseAddress(own), policy: config }
  return openCandidateTrust({ clock, rng, log: cli.log('silent') }, { ...init, kept: reader?.statements() })
}

/** A journal that cannot be read gives nothing; a command that needs its services reports that when it opens it. */
function journalOf({ out }: Cli, folder: OperatorFolder | undefined): ReturnType<typeof openJournalReader> | undefined {
  const path = folder === undefined ? undefined : join(folder.dataDir, 'journal.sqlite')
  if (path === undefined || !existsSync(path)) return undefined
  try {
    return openJournalReader(path)
  } catch (error) {
    if (!(error instanceof ThundercloudError)) throw error
    out.note(`Statements of hubs and roots in the journal are not used: ${messageOf(error)}.`)
    return undefined
  }
}

/** Takes in what files hold. Returns what people should know of it. */
export async function ingestFiles(cli: Cli, trust: CandidateTrust, files: readonly string[]): Promise<string[]> {
  const notes: string[] = []
  for (const file of files) {
    const all = await readStatementFile(resolve(cli.cwd, file), { file: `--statements ${file}`, signal: cli.signal })
    for (const [index, encoded] of all.entries()) {
      const where = all.length === 1 ? file : `${file} (statement ${index + 1})`
      const why = inactiveText(ingestOne(trust, encoded, where))
      if (why !== undefined) notes.push(`${where} is not used: ${why}`)
    }
  }
  return notes
}

function ingestOne(trust: CandidateTrust, encoded: Uint8Array, where: string): ReturnType<CandidateTrust['take']> {
  return decodeInput(
    () => trust.take(encoded),
    ({ message }) => `${where} is forged, or of another network: ${message}`,
  )
}

function inactiveText(result: ReturnType<CandidateTrust['take']>): string | undefined {
  switch (result) {
    case 'older':
      return 'a later one of the same subject is known'
    case 'untrusted':
      return 'its signer is no hub of the candidate, and no root vouches for it'
    case 'dropped':
      return "it has expired or not begun, or its hub's members are not pinned by the candidate"
    default:
      return undefined
  }
}

/** The facts on one service as text: what a verdict is based on. */
export function trustFactsText({ attestations, frozen, inTree }: TrustFacts): string {
  const verdicts = (['safe', 'unsafe'] as const).flatMap((verdict) => {
    const count = attestations.filter((word) => word.verdict === verdict).length
    return count === 0 ? [] : [`${count} trusted ${count === 1 ? 'hub calls' : 'hubs call'} its code ${verdict}`]
  })
  const hubs = verdicts.length === 0 ? 'no trusted hub has said anything of its code' : verdicts.join(' and ')
  const funds = frozen.length === 0 ? 'nothing is known to be frozen' : `${frozen.length} freeze statements are known`
  return `${hubs}, ${funds}, and ${inTree ? 'a root vouches' : 'no root vouches'} for its author`
}
