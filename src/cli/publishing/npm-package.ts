import { posix } from 'node:path'
import { z } from 'zod'
import { MAX_KEYWORD_LENGTH, MAX_KEYWORDS, MAX_NAME_LENGTH } from '../../../protocols/limits.ts'
import { InputError } from '../../base/errors.ts'
import { joinWords } from '../../base/format.ts'
import { type PackEntry, sizeOfArchive } from '../../code/index.ts'
import { type Manifest, parseManifest, textToJson } from '../../config/index.ts'
import { headOf, textOf } from './read-entry.ts'

const names = z.record(z.string(), z.unknown()).catch({})
const schema = z.object({
  description: z.string().catch(''),
  keywords: z.array(z.string()).catch([]),
  bin: z
    .union([z.string(), z.record(z.string(), z.string())])
    .optional()
    .catch(undefined),
  dependencies: names.optional(),
  optionalDependencies: names.optional(),
  peerDependencies: names.optional(),
  peerDependenciesMeta: z.record(z.string(), z.object({ optional: z.boolean().optional() })).catch({}),
  bundleDependencies: z
    .union([z.array(z.string()), z.boolean()])
    .optional()
    .catch(undefined),
  bundledDependencies: z
    .union([z.array(z.string()), z.boolean()])
    .optional()
    .catch(undefined),
})

/** What a package says about itself. */
export type NpmPackage = { readonly name: string; readonly version: string } & z.output<typeof schema>

export async function readPackage(
  entries: readonly PackEntry[],
  { name, version }: { name: string; version: string },
): Promise<NpmPackage> {
  const file = `package.json of ${name}@${version}`
  const text = await textOf(entries, 'package.json')
  const read = text === undefined ? undefined : schema.safeParse(textToJson(text, file)).data
  if (read === undefined) throw new InputError(`${file} cannot be read; this is no package that can be published`)
  return { ...read, name, version }
}

/** Packages that it needs beside itself, and does not bring along. */
export function missingDependencies(found: NpmPackage): string[] {
  const brought = found.bundleDependencies ?? found.bundledDependencies
  const peers = Object.keys(found.peerDependencies ?? {}).filter(
    (name) => found.peerDependenciesMeta[name]?.optional !== true,
  )
  const needed = [found.dependencies, found.optionalDependencies].flatMap((group) => Object.keys(group ?? {}))
  return [...new Set([...needed, ...peers])].filter((name) =>
    Array.isArray(brought) ? !brought.includes(name) : brought !== true,
  )
}

const MIB = 1024 * 1024
const MIN_DISK = 64 * MIB
/** Within what nodes allow by default for a description (DESC_MAX_LEN, 200); it is for people, and the package says the rest. */
const DESC_LENGTH = 150

/**
 * The service that a package is: this program with these arguments, and one port. `root`: the folder of the code that the
 * package is in, with a slash; '' where it is the code.
 */
export async function manifestOf(
  found: NpmPackage,
  entries: readonly PackEntry[],
  { program, port, args, root }: { program: string; port: number | undefined; args: readonly string[]; root: string },
): Promise<Manifest> {
  const { bytes, entries: count } = sizeOfArchive(entries)
  const disk = Math.max(MIN_DISK, Math.ceil(Math.max(bytes, count * 512) / MIB) * MIB)
  return parseManifest(
    {
      name: serviceName(found.name),
      title: `${found.name} ${found.version}`,
      desc: [...found.description].slice(0, DESC_LENGTH).join(''),
      keywords: found.keywords
        .filter((word) => word !== '' && Buffer.byteLength(word) <= MAX_KEYWORD_LENGTH)
        .slice(0, MAX_KEYWORDS),
      toolchain: ['node.js'],
      run: {
        command: [...(await beginning(entries, `${root}${program}`)), ...args],
        kind: port === undefined ? 'task' : 'service',
        ports: port === undefined ? [] : [{ name: 'http', port }],
      },
      resources: { memory: '256MiB', disk, cpu: '0.5' },
    },
    'service.json',
  )
}

/** The file of its program, from `bin`; what is wrong where it has none, or several and none of them is asked for. */
export function programOf(
  { name, version, bin }: NpmPackage,
  asked: string | undefined,
): { program: string } | { problem: string } {
  const own = name.slice(name.indexOf('/') + 1)
  const programs = typeof bin === 'string' ? { [own]: bin } : (bin ?? {})
  const known = Object.keys(programs)
  const it = `${name}@${version}`
  if (known.length === 0) {
    return {
      problem: `${it} has no program to run (no "bin"); publish a folder that uses it, with a service.json of its own`,
    }
  }
  const chosen = asked ?? (known.length === 1 ? known[0] : known.find((one) => one === own))
  if (chosen === undefined || !Object.hasOwn(programs, chosen)) {
    const wrong = asked === undefined ? '' : `, and not ${JSON.stringify(asked)}`
    const problem = `${it} has ${known.length === 1 ? 'the program' : 'the programs'} ${joinWords(known)}${wrong}; name one with --bin`
    return { problem }
  }
  return { program: posix.normalize(programs[chosen] as string).replace(/^\/+/, '') }
}

/** A program that names its interpreter begins as it says, except for Node's, whose line may end as on Windows. */
async function beginning(entries: readonly PackEntry[], program: string): Promise<string[]> {
  const head = Buffer.from(await headOf(entries, program)).toString('latin1')
  const line = head.startsWith('#!') ? (head.split('\n', 1)[0] ?? '') : ''
  const isOther = head.startsWith('\x7fELF') || (line !== '' && !/\bnode(js)?\b/.test(line))
  // without a slash it would be looked for among the programs of the toolchain
  return isOther ? [program.includes('/') ? program : `./${program}`] : ['node', program]
}

/** `@scope/name` -> `scope-name`: a name that a service may have. */
function serviceName(name: string): string {
  return name
    .toLowerCase()
    .replace(/[^a-z0-9._-]/g, '-')
    .replace(/^[^a-z0-9]+/, '')
    .slice(0, MAX_NAME_LENGTH)
}
