import { InputError } from '../../base/errors.ts'
import type { NamedSource } from '../../code/index.ts'
import { flag, text, whole } from '../command.ts'

/** Where code comes from that is not a folder here, and how a package is begun. */
export const sourceOptions = {
  npm: text('NAME@VERSION', 'publish this package of npm; its program runs with the arguments after --'),
  bin: text('NAME', 'with --npm: which of its programs, if it has several'),
  port: whole('PORT', 'with --npm: where it listens, on 127.0.0.1', { min: 1, max: 65_535, fallback: undefined }),
  git: text('URL', 'publish a commit of this repository'),
  ref: text('REF', 'with --git: a branch, a tag or a commit (default: HEAD)'),
  https: text('URL', 'publish the archive at this address: .tar, .tar.gz, .tar.zst or .zip'),
  path: text('DIR', 'with --git and --https: the folder of it that is the code'),
  oci: text('REF', 'publish this image of a registry; MANIFEST says how it runs'),
  platform: text(
    'OS/ARCH',
    "with --oci: which image of an index (default: this machine's, linux/amd64 or linux/arm64)",
  ),
  dryRun: flag('show what would be packed, and announce nothing'),
  files: flag('with --dry-run: each file, however many there are'),
}

export type SourceInput = {
  readonly npm: string | undefined
  readonly bin: string | undefined
  readonly port: number | undefined
  readonly git: string | undefined
  readonly ref: string | undefined
  readonly https: string | undefined
  readonly path: string | undefined
  readonly oci: string | undefined
  readonly platform: string | undefined
}

/** What the options name; undefined where they name no source, and the code is in a folder. */
export function namedSource(input: SourceInput): NamedSource | undefined {
  const given = (['npm', 'git', 'https', 'oci'] as const).filter((key) => input[key] !== undefined)
  if (given.length > 1) throw new InputError(`--${given[0]} and --${given[1]} contradict each other; keep one of them`)
  const [kind] = given
  const goesWith = { bin: ['npm'], port: ['npm'], ref: ['git'], path: ['git', 'https'], platform: ['oci'] } as const
  for (const [key, kinds] of Object.entries(goesWith) as [keyof typeof goesWith, readonly string[]][]) {
    if (input[key] !== undefined && !kinds.includes(kind ?? ''))
      throw new InputError(`--${key} goes with --${kinds.join(' or --')}`)
  }
  const path = input.path === undefined ? {} : { path: relative(input.path) }
  if (input.npm !== undefined) return { type: 'registry', kind: 'npm', ...packageOf(input.npm) }
  if (input.git !== undefined)
    return { type: 'git-ref', url: address(input.git, '--git'), ref: input.ref ?? 'HEAD', ...path }
  if (input.https !== undefined) return { type: 'https', url: address(input.https, '--https'), ...path }
  return undefined
}

/** One version, named exactly: a range or a tag would be another package tomorrow. */
function packageOf(text: string): { name: string; version: string } {
  const at = text.lastIndexOf('@')
  const [name, version] = at > 0 ? [text.slice(0, at), text.slice(at + 1)] : [text, '']
  if (/^\d+\.\d+\.\d+([-+][0-9A-Za-z.+-]+)?$/.test(version)) return { name, version }
  const example = /^(@[\w.~-]+\/)?[\w.~][\w.~-]*$/.test(name) ? name : 'serve'
  throw new InputError(`--npm is ${JSON.stringify(text)}; name one version exactly, like ${example}@1.2.3`)
}

function address(text: string, option: string): string {
  const url = URL.parse(text)
  if (url === null || !/^https?:$/.test(url.protocol) || url.hash !== '') {
    throw new InputError(
      `${option} is ${JSON.stringify(text)}; allowed is an http(s) address like "https://example.org/hello"`,
    )
  }
  if (url.username !== '' || url.password !== '') {
    throw new InputError(
      `${option} has a user or password in it, which every node would read; name an address without one`,
    )
  }
  return url.href
}

function relative(text: string): string {
  const path = text.replace(/^(\.?\/)+|\/+$/g, '')
  if (path !== '' && !path.includes('\\') && !path.split('/').includes('..')) return path
  throw new InputError(`--path is ${JSON.stringify(text)}; allowed is a folder inside of the source, without ".."`)
}

/** What names the service on a command line: the folder or manifest, or the source with its options. */
export function typedWords(
  input: SourceInput & { readonly target: string | undefined; readonly rest: readonly string[] },
): string[] {
  const keys = ['npm', 'bin', 'port', 'git', 'ref', 'https', 'path', 'oci', 'platform'] as const
  const options = keys.flatMap((key) => (input[key] === undefined ? [] : [`--${key}`, `${input[key]}`]))
  const target = input.target === undefined ? [] : [input.target]
  return [...target, ...options, ...(input.rest.length === 0 ? [] : ['--', ...input.rest])]
}
