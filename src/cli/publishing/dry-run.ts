import { relative } from 'node:path'
import { InputError } from '../../base/errors.ts'
import { formatBytes, howMany, sanitizeText } from '../../base/format.ts'
import { describeSource, IGNORE_FILE, identify, type PackEntry } from '../../code/index.ts'
import type { Cli } from '../cli.ts'
import { table } from '../output/output.ts'
import type { Packing } from './draft.ts'
import type { Inspected } from './inspect-folder.ts'

/** So many files a person reads; of more, each folder and each package of npm is one line. */
const MAX_LISTED = 40

/** `all`: every file is listed, however many there are. */
export type DryRun = Inspected & { readonly all: boolean }

/**
 * Shows what would be published: the files, the code's identity, and what one should know before. Then throws what
 * `publish` would refuse of it, so that it ends as that does.
 */
export async function printDryRun(
  { out, signal }: Cli,
  packing: Packing,
  { entries, warnings, refused, all }: DryRun,
): Promise<void> {
  const { manifest } = packing
  const { name, sources = [], network = [], code: named } = manifest ?? {}
  const manifestInCode = packedManifest(packing, entries)
  const packed =
    entries.length === 0 && named !== undefined ? { code: named, size: undefined } : await identify(entries, { signal })
  const { size } = packed
  const it = name === undefined ? 'It' : JSON.stringify(name)
  const code = packed.code.toString()
  const files = entries.map((entry) =>
    'target' in entry
      ? { path: entry.path, target: entry.target }
      : { path: entry.path, size: entry.size, executable: entry.executable },
  )
  const command = manifest?.run.command
  out.result(
    {
      dryRun: true,
      name,
      code,
      ...(size !== undefined && { size }),
      files,
      command,
      sources,
      network,
      warnings,
      refused,
      ...(manifestInCode && { manifestInCode }),
    },
    () => [
      ...(size === undefined ? sources.map((source) => `source: ${describeSource(source)}`) : filesTable(files, all)),
      ...(manifestInCode === undefined
        ? []
        : [
            `${sanitizeText(manifestInCode)} is part of the code: with another title in it, the content id is another. Name it in ${IGNORE_FILE} to leave it out.`,
          ]),
      ...(manifest === undefined ? [] : [networkLine(network)]),
      ...warnings.map((warning) => `Warning: ${sanitizeText(warning, 4000)}.`),
      size === undefined
        ? `${it} would have the code ${code}, of which nothing is packed here. Nothing was announced.`
        : `${it} would have the code ${code} (${howMany(files.length, 'file', 'files')}, ${formatBytes(size)}). Nothing was announced.`,
    ],
  )
  if (refused.length > 0)
    throw new InputError(`\`publish\` refuses this: ${sanitizeText(refused.join('; and '), 8000)}`)
}

function networkLine(network: readonly string[]): string {
  if (network.length === 0) return 'network: none'
  return `network: ${network.join(' ')} (a node runs it only where NETCAP of its config.json allows that)`
}

/** The manifest's path, where it lies in the folder that is packed, and is not left out. */
function packedManifest({ folder, file }: Packing, entries: readonly PackEntry[]): string | undefined {
  if (folder === undefined) return undefined
  const path = relative(folder, file).replaceAll('\\', '/')
  return entries.some((entry) => entry.path === path) ? path : undefined
}

type Listed = { path: string; size?: number; executable?: boolean; target?: string }

function filesTable(files: readonly Listed[], all: boolean): string[] {
  if (all || files.length <= MAX_LISTED) return table(['size', '', 'file'], files.map(rowOf))
  const groups = Map.groupBy(files, ({ path }) => groupOf(path))
  const rows = [...groups].map(([name, group]) => {
    const size = group.reduce((sum, file) => sum + (file.size ?? 0), 0)
    return name.endsWith('/')
      ? [formatBytes(size), howMany(group.length, 'file', 'files'), name]
      : rowOf(group[0] as Listed)
  })
  return [...table(['size', '', 'file or folder'], rows), 'Each file: the same with --files.']
}

/** The folder at the top that it is in, of `node_modules` the package; a file at the top is one by itself. */
function groupOf(path: string): string {
  return /^(node_modules\/(@[^/]+\/)?[^/]+|[^/]+)\//.exec(path)?.[0] ?? path
}

function rowOf(file: Listed): string[] {
  if (file.target !== undefined) return ['', 'link', `${file.path} -> ${file.target}`]
  return [formatBytes(file.size ?? 0), file.executable ? 'program' : '', file.path]
}
