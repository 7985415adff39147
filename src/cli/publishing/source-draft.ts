import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, dirname, join, resolve } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { InputError } from '../../base/errors.ts'
import { formatBytes } from '../../base/format.ts'
import { describeSource, type NamedSource, type PackEntry, type ReadSource, readSource } from '../../code/index.ts'
import {
  type Configuration,
  clientAccessReader,
  loadManifest,
  loadStaples,
  type Manifest,
  parseManifest,
  readClientRegistries,
  textToJson,
} from '../../config/index.ts'
import { machineNetwork } from '../../egress/index.ts'
import type { Cli } from '../cli.ts'
import type { Packing } from './draft.ts'
import { installPackage } from './npm-install.ts'
import { manifestOf, missingDependencies, programOf, readPackage } from './npm-package.ts'
import { npmRegistries } from './npm-registries.ts'
import { textOf } from './read-entry.ts'

/** What is published: far over what a service is, far under what fills a disk. */
const LIMITS = { maxBytes: 1024 * 1024 * 1024, maxEntries: 100_000 }
const MANIFEST = 'service.json'

export type SourceDraftInit = {
  readonly source: NamedSource
  /** a manifest here; without it, a package is its own, and other sources have theirs in them */
  readonly manifest?: string | undefined
  readonly bin: string | undefined
  readonly port: number | undefined
  /** only shows what would be packed: it may be no service yet */
  readonly dryRun: boolean
  /** of the package's program */
  readonly args: readonly string[]
  readonly replicas: number | undefined
  readonly staple: readonly string[]
  /** the operator's own, where there is a folder */
  readonly configuration: Configuration | undefined
}

/** Downloads what is to be published, and makes a service of it. Disposing it removes what was downloaded. */
export async function draftFromSource(cli: Cli, init: SourceDraftInit): Promise<Packing & AsyncDisposable> {
  await using stack = new AsyncDisposableStack()
  const dir = await mkdtemp(join(tmpdir(), 'thundercloud-'))
  stack.defer(() => rm(dir, { recursive: true, force: true }))
  const read = stack.use(await download(cli, dir, init))
  const isPackage = read.source.type === 'registry'
  const made = isPackage ? await packageDraft(cli, read, init, dir) : await sourceManifest(cli, read, init)
  const { file, at, entries } = made
  const named = [
    { dir: at, files: made.manifest?.staple ?? [] },
    { dir: cli.cwd, files: init.staple, option: '--staple' },
  ]
  const staples = await loadStaples(cli.clock, named, { signal: cli.signal })
  const { manifest: own } = made
  const service =
    own === undefined ? { unready: made.unready } : { manifest: { ...own, replicas: init.replicas ?? own.replicas } }
  const resources = stack.move()
  return { ...service, file, entries, staples, [Symbol.asyncDispose]: () => resources.disposeAsync() }
}

async function download({ clock, env, out, signal }: Cli, dir: string, { source, configuration }: SourceDraftInit) {
  const what = describeSource(source.type === 'git-ref' ? { ...source, type: 'git', commit: source.ref } : source)
  using progress = out.progress(`downloading ${what}`, { plain: true })
  const registries = await registriesOf({ env }, configuration)
  const read = await readSource({ clock, network: machineNetwork(clock) }, source, {
    dir,
    registries,
    limits: LIMITS,
    signal,
    onBytes: (bytes) => progress.update(formatBytes(bytes)),
  })
  if (read.source.type === 'registry' && read.integrity !== 'strong') {
    const gives = read.integrity === 'sha1' ? 'only a SHA-1' : 'no checksum'
    out.note(`Note: the registry gives ${gives} of ${what}; the content id alone says what it is.`)
  }
  return read
}

/** The operator's mirrors, and what the package managers of this machine use. */
async function registriesOf({ env }: Pick<Cli, 'env'>, configuration: Configuration | undefined) {
  const clients = configuration?.clientRegistries ?? (await readClientRegistries(env))
  return {
    REGISTRIES: configuration?.policy.config.REGISTRIES ?? {},
    clients,
    clientAccess: clientAccessReader(env),
  }
}

type Service = { readonly manifest: Manifest } | { readonly manifest?: undefined; readonly unready: string }

type Made = Service & {
  readonly file: string
  /** where the files are that it names */
  readonly at: string
  readonly entries: readonly PackEntry[]
}

/** A package is its own code; one that needs others is what npm installs of it, and then the package is no source of it. */
async function packageDraft(
  cli: Cli,
  { source, entries }: ReadSource,
  { bin, port, args, dryRun, configuration }: SourceDraftInit,
  dir: string,
): Promise<Made> {
  const { name, version } = source as Extract<NamedSource, { type: 'registry' }>
  const found = await readPackage(entries, { name, version })
  const chosen = programOf(found, bin)
  // before anything is installed
  if ('problem' in chosen && !dryRun) throw new InputError(chosen.problem)
  const serviceOf = async (packed: readonly PackEntry[], root: string): Promise<Service> =>
    'problem' in chosen
      ? { unready: chosen.problem }
      : { manifest: await manifestOf(found, packed, { program: chosen.program, port, args, root }) }
  const rest = { file: MANIFEST, at: '' }
  if (missingDependencies(found).length === 0) {
    const service = await serviceOf(entries, '')
    return { ...(service.manifest === undefined ? service : withSource(service, source)), ...rest, entries }
  }
  const registries = await npmRegistries(await registriesOf(cli, configuration))
  const bubblewrap = configuration?.policy.config.HOST.BUBBLEWRAP
  const installed = await installPackage(cli, { name, version }, { dir: join(dir, 'install'), registries, bubblewrap })
  return { ...(await serviceOf(installed, `node_modules/${name}/`)), ...rest, entries: installed }
}

/** A manifest here, or the one that lies in the source. */
async function sourceManifest(cli: Cli, read: ReadSource, init: SourceDraftInit): Promise<Made> {
  const made = await manifestIn(cli, read, init)
  const { entries } = read
  return made.manifest === undefined ? { ...made, entries } : { ...made, ...withSource(made, read.source), entries }
}

async function manifestIn(
  cli: Cli,
  { source, entries }: ReadSource,
  { manifest: given, dryRun }: SourceDraftInit,
): Promise<Service & Pick<Made, 'file' | 'at'>> {
  if (given !== undefined) {
    const file = resolve(cli.cwd, given)
    return {
      manifest: checked(await loadManifest(file, { signal: cli.signal }), basename(file)),
      file,
      at: dirname(file),
    }
  }
  const text = await textOf(entries, MANIFEST)
  if (text === undefined) {
    const unready = `${describeSource(source)} has no ${MANIFEST}; name the folder that has one with --path, or a manifest here: \`thundercloud publish MANIFEST --${source.type} ...\``
    if (!dryRun) throw new InputError(unready)
    return { unready, file: MANIFEST, at: cli.cwd }
  }
  const manifest = checked(parseManifest(textToJson(text, MANIFEST), MANIFEST), MANIFEST)
  if (manifest.staple.length > 0) {
    throw new InputError(
      `${MANIFEST} of the source names files to staple, which are not here; name yours with --staple`,
    )
  }
  return { manifest, file: MANIFEST, at: cli.cwd }
}

function checked(manifest: Manifest, file: string): Manifest {
  const key = manifest.code === undefined ? 'dir' : 'code'
  if (manifest[key] === undefined) return manifest
  throw new InputError(
    `${file}: ${key} says where the code is, and so do the options; remove it, and name a folder of the source with --path`,
  )
}

/** Peers first, then where it came from. */
function withSource({ manifest }: { manifest: Manifest }, source: ReadSource['source']): { manifest: Manifest } {
  const { sources } = manifest
  if (sources.some((one) => isDeepStrictEqual(one, source))) return { manifest }
  return { manifest: { ...manifest, sources: [...sources, source] } }
}
