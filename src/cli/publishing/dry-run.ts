import { formatBytes, howMany, sanitizeText } from '../../base/format.ts'
import { describeSource, identify, type PackEntry } from '../../code/index.ts'
import type { Cli } from '../cli.ts'
import { table } from '../output/output.ts'
import type { Draft } from './draft.ts'

/** Shows what would be published: every file, the code's identity, and what one should know before. */
export async function printDryRun(
  { out, signal }: Cli,
  { manifest }: Draft,
  { entries, warnings }: { entries: readonly PackEntry[]; warnings: readonly string[] },
): Promise<void> {
  const { name, sources } = manifest
  const packed =
    entries.length === 0 ? { code: manifest.code as string, size: undefined } : await identify(entries, { signal })
  const { size } = packed
  const code = packed.code.toString()
  const files = entries.map((entry) =>
    'target' in entry
      ? { path: entry.path, target: entry.target }
      : { path: entry.path, size: entry.size, executable: entry.executable },
  )
  const command = manifest.run.command
  out.result(
    { dryRun: true, name, code, ...(size !== undefined && { size }), files, command, sources, warnings },
    () => [
      ...(size === undefined
        ? sources.map((source) => `source: ${describeSource(source)}`)
        : table(['size', '', 'file'], files.map(rowOf))),
      ...warnings.map((warning) => `Warning: ${sanitizeText(warning, 4000)}.`),
      size === undefined
        ? `"${name}" would have the code ${code}, of which nothing is packed here. Nothing was announced.`
        : `"${name}" would have the code ${code} (${howMany(files.length, 'file', 'files')}, ${formatBytes(size)}). Nothing was announced.`,
    ],
  )
}

function rowOf(file: { path: string; size?: number; executable?: boolean; target?: string }): string[] {
  if (file.target !== undefined) return ['', 'link', `${file.path} -> ${file.target}`]
  return [formatBytes(file.size ?? 0), file.executable ? 'program' : '', file.path]
}
