import { basename } from 'node:path'
import { findSecrets, secretsError, secretsText } from '../../admission/secrets.ts'
import { InputError } from '../../base/errors.ts'
import { formatBytes, formatCount, sanitizeText } from '../../base/format.ts'
import {
  archiveLimitsFor,
  type CodeLink,
  IGNORE_FILE,
  listFolder,
  type PackEntry,
  resolveLink,
  sizeOfArchive,
} from '../../code/index.ts'
import { findToolchain } from '../../config/index.ts'
import { type CodeTree, checkCommand } from '../../hub/index.ts'
import type { Cli } from '../cli.ts'
import type { Draft, Packing } from './draft.ts'
import { networkNotes } from './network-notes.ts'
import { gitWarnings, npmWarnings } from './warnings.ts'

/** What is packed, and what its author should know of it: sentences without their full stop. */
export type Inspected = {
  readonly entries: readonly PackEntry[]
  readonly warnings: readonly string[]
  /** for `--dry-run`: why it cannot be published so */
  readonly refused: readonly string[]
}

/**
 * Checks the folder before anything of it is published: what cannot be packed, what looks secret, and a command that names no
 * file of it are refused here, where the author can fix it, and not on the nodes that would try to run it. `dryRun` refuses
 * nothing: all of it is in `refused`.
 */
export async function inspectFolder(
  { out, signal }: Pick<Cli, 'out' | 'signal'>,
  { folder, entries: downloaded, ...packing }: Packing,
  { withSecrets, dryRun }: { withSecrets: boolean; dryRun: boolean },
): Promise<Inspected> {
  const { file, manifest } = packing
  const network = manifest === undefined ? [] : networkNotes(manifest)
  if (folder === undefined && downloaded === undefined) return { entries: [], warnings: network, refused: [] }
  using _progress = out.progress('looking at the files')
  const entries = downloaded ?? (await listFolder(folder as string, { signal }))
  const { problems, notes } =
    packing.manifest === undefined
      ? { problems: [packing.unready], notes: [] }
      : checkService(entries, { file, manifest: packing.manifest })
  const [problem] = problems
  if (problem !== undefined && !dryRun) throw new InputError(problem)
  const secrets = await findSecrets(entries, { signal })
  const exposed = secrets.length > 0 && !withSecrets ? secretsError(secrets, IGNORE_FILE) : undefined
  if (exposed !== undefined && !dryRun) throw exposed
  const names = (type: string) => dryRun || manifest?.sources.some((source) => source.type === type) === true
  const warnings = [
    ...(secrets.length > 0 && withSecrets ? [`published with secrets: ${secretsText(secrets)}`] : []),
    ...network,
    ...notes,
    ...(folder !== undefined && names('registry') ? npmWarnings(entries) : []),
    ...(folder !== undefined && names('git') ? await gitWarnings(folder, entries, { signal }) : []),
  ]
  return { entries, warnings, refused: [...problems, ...(exposed === undefined ? [] : [exposed.message])] }
}

/** `problems`: why it cannot be published so. */
function checkService(entries: readonly PackEntry[], { file, manifest }: Pick<Draft, 'file' | 'manifest'>) {
  const tree = treeOf(entries)
  const programs = manifest.toolchain.flatMap((word) => findToolchain(word)?.program ?? [])
  const { unfit, notes } = checkCommand(tree, runOf(manifest.run), { toolchain: manifest.toolchain, programs })
  const size = sizeProblem(entries, { file, manifest })
  const command = `${basename(file)}: ${unfit.join('; ')} (left out files count as missing; see ${IGNORE_FILE})`
  return {
    problems: [...(size === undefined ? [] : [size]), ...(unfit.length === 0 ? [] : [command])],
    notes: notes.map((note) => `${note}${binHint(tree, manifest.run)}`),
  }
}

/** Nodes weigh the code against the disk that the service asks for, before they fetch it. */
function sizeProblem(entries: readonly PackEntry[], { file, manifest }: Pick<Draft, 'file' | 'manifest'>) {
  const { disk } = manifest.resources
  const most = archiveLimitsFor(disk)
  const size = sizeOfArchive(entries)
  if (size.bytes <= most.maxBytes && size.entries <= most.maxEntries) return undefined
  const [has, may] =
    size.bytes > most.maxBytes
      ? [size.bytes, most.maxBytes].map(formatBytes)
      : [size.entries, most.maxEntries].map((count) => `${formatCount(count)} files and folders`)
  return (
    `${basename(file)}: resources.disk is ${formatBytes(disk)}, which allows code of ${may}, and this code has ${has}; ` +
    `ask for more disk, or leave files out with ${IGNORE_FILE}`
  )
}

function runOf({ command, build, workdir }: Draft['manifest']['run']) {
  return { command, build, workdir: workdir ?? '' }
}

/** npm puts programs where no PATH leads. */
function binHint(tree: CodeTree, { command }: Draft['manifest']['run']): string {
  const bin = `node_modules/.bin/${command[0]}`
  return tree.file(bin) === undefined
    ? ''
    : `; the code has it as ${JSON.stringify(sanitizeText(bin))}, which works everywhere`
}

/** What is packed, as a command will find it. */
export function treeOf(entries: readonly PackEntry[]): CodeTree {
  const files = new Map<string, { executable: boolean }>()
  const links = new Map<string, string>()
  const folders = new Set([''])
  for (const entry of entries) {
    const parts = entry.path.split('/')
    for (let end = 1; end < parts.length; end++) folders.add(parts.slice(0, end).join('/'))
    if ('target' in entry) links.set(entry.path, destinationOf(entry))
    else files.set(entry.path, { executable: entry.executable })
  }
  /** No link leads to another, so each is followed once. */
  const real = (path: string) => {
    let at = ''
    for (const part of path.split('/')) {
      const next = at === '' ? part : `${at}/${part}`
      at = links.get(next) ?? next
    }
    return at
  }
  return { file: (path) => files.get(real(path)), isFolder: (path) => folders.has(real(path)) }
}

function destinationOf(link: CodeLink): string {
  const resolved = resolveLink(link)
  return 'to' in resolved ? resolved.to : ''
}
