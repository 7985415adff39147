import { basename, dirname, resolve } from 'node:path'
import { cidOfDigest } from '../../../protocols/encoding.ts'
import { InputError } from '../../base/errors.ts'
import { parseImageRef } from '../../base/image-ref.ts'
import { findImage } from '../../code/index.ts'
import {
  type Configuration,
  clientAccessReader,
  loadManifest,
  loadStaples,
  readClientRegistries,
} from '../../config/index.ts'
import { machineNetwork } from '../../egress/index.ts'
import type { Cli } from '../cli.ts'
import type { Draft } from './draft.ts'

export type ImageDraftInit = {
  /** "ghcr.io/team/app:1.2" */
  readonly ref: string
  readonly platform: string | undefined
  readonly manifest: string | undefined
  readonly replicas: number | undefined
  readonly staple: readonly string[]
  readonly configuration: Configuration | undefined
}

/** Node's name of an architecture -> that of images. */
const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64', arm: 'arm', riscv64: 'riscv64' }

/** A service whose code is an image of a registry: what its tag names now, by digest. */
export async function draftFromImage(cli: Cli, init: ImageDraftInit): Promise<Draft> {
  const { ref, platform, manifest: given, configuration, staple } = init
  if (given === undefined) {
    throw new InputError(
      'an image says nothing of its service: name a manifest, `thundercloud publish MANIFEST --oci REF`',
    )
  }
  if (!/^[\w.:/@-]{1,400}$/.test(ref)) {
    throw new InputError(`--oci is ${JSON.stringify(ref)}; allowed is a reference like "ghcr.io/team/app:1.2"`)
  }
  if (platform !== undefined && !/^[a-z0-9]{1,32}\/[a-z0-9_]{1,32}$/.test(platform)) {
    throw new InputError(`--platform is ${JSON.stringify(platform)}; allowed is a platform like "linux/arm64"`)
  }
  const file = resolve(cli.cwd, given)
  const read = await loadManifest(file, { signal: cli.signal })
  const key = read.code === undefined ? 'dir' : 'code'
  if (read[key] !== undefined) {
    throw new InputError(`${basename(file)}: ${key} says where the code is, and so does --oci; remove it`)
  }
  if (!read.toolchain.includes('docker')) {
    throw new InputError(
      `${basename(file)}: toolchain is ${JSON.stringify(read.toolchain)}; an image runs in Docker alone: write ["docker"]`,
    )
  }
  const digest = await lookUp(cli, init, configuration)
  const source = { type: 'oci' as const, ref: `${nameOf(ref)}@sha256:${digest}` }
  const code = cidOfDigest(Buffer.from(digest, 'hex')).toString()
  const named = [
    { dir: dirname(file), files: read.staple },
    { dir: cli.cwd, files: staple, option: '--staple' },
  ]
  const staples = await loadStaples(cli.clock, named, { signal: cli.signal })
  const replicas = init.replicas ?? read.replicas
  // a second registry with this very image stays; another digest is other code
  const others = read.sources.filter(
    (one) => one.type !== 'oci' || (one.ref !== source.ref && one.ref.endsWith(`@sha256:${digest}`)),
  )
  return { manifest: { ...read, replicas, code, sources: [...others, source] }, file, staples }
}

async function lookUp(
  { clock, env, out, signal }: Cli,
  { ref, platform: named }: ImageDraftInit,
  configuration: Configuration | undefined,
): Promise<string> {
  const platform = named ?? `linux/${ARCHITECTURES[process.arch] ?? process.arch}`
  using _progress = out.progress(`looking up ${ref} for ${platform}`)
  const registries = configuration?.policy.config.REGISTRIES ?? {}
  const clients = configuration?.clientRegistries ?? (await readClientRegistries(env))
  const init = {
    registries,
    clients,
    clientAccess: clientAccessReader(env),
    platform,
    isNamed: named !== undefined,
    signal,
  }
  return await findImage({ clock, network: machineNetwork(clock) }, ref, init)
}

/** Without a digest: the reference of a source has the one of its manifest. */
function nameOf(ref: string): string {
  const { registry, repository } = parseImageRef(ref)
  const [name = ''] = ref.split('@')
  const tag = /:([^/:]+)$/.exec(name.slice(name.lastIndexOf('/') + 1))?.[1]
  return `${registry}/${repository}${tag === undefined ? '' : `:${tag}`}`
}
