import { stat } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { type Announcement, signService } from '../../../protocols/announcement.ts'
import type { CID } from '../../../protocols/encoding.ts'
import { issueTicket } from '../../../protocols/redirection.ts'
import { encodeService } from '../../../protocols/service.ts'
import type { Signer } from '../../../protocols/signature.ts'
import { nowSeconds } from '../../base/clock.ts'
import { InputError } from '../../base/errors.ts'
import type { PackEntry } from '../../code/index.ts'
import { exists, loadManifest, loadStaples, type Manifest, manifestToBody, type Staples } from '../../config/index.ts'
import type { Cli } from '../cli.ts'
import { noteStrayStaples } from './staples.ts'

/** A service that is not signed yet: its manifest, and the folder of its code unless the manifest names code. */
export type Draft = {
  readonly manifest: Manifest
  readonly file: string
  readonly folder?: string | undefined
  /** what it is packed from, where it was downloaded */
  readonly entries?: readonly PackEntry[] | undefined
  /** its archive, where it travels in the announcement */
  readonly inline?: Uint8Array | undefined
  readonly staples: Staples
}

/** What would be packed. Where it is no service yet, there is no manifest, and `unready` says what is missing. */
export type Packing = Omit<Draft, 'manifest'> &
  ({ readonly manifest: Manifest } | { readonly manifest?: undefined; readonly unready: string })

export function readyDraft(packing: Packing): Draft {
  if (packing.manifest === undefined) throw new InputError(packing.unready)
  return packing
}

/** Like `loadDraft`, also of a folder that has no manifest yet. */
export async function loadPacking(...[cli, path, change]: Parameters<typeof loadDraft>): Promise<Packing> {
  const folder = resolve(cli.cwd, path)
  const file = join(folder, 'service.json')
  if ((await kindOf(folder)) !== 'folder' || (await exists(file))) return await loadDraft(cli, path, change)
  return { file, folder, staples: await loadStaples(cli.clock, [], {}), unready: noManifest(path) }
}

const noManifest = (path: string) =>
  `${path} has no service.json; write one with \`thundercloud service new NAME ${path}\``

/** Reads a manifest: the file itself, or `service.json` in a folder. */
export async function loadDraft(
  cli: Pick<Cli, 'cwd' | 'clock' | 'signal'>,
  path: string,
  change: { replicas?: number | undefined; staple?: readonly string[] | undefined },
): Promise<Draft> {
  const given = resolve(cli.cwd, path)
  const kind = await kindOf(given)
  if (kind === undefined) throw new InputError(`${path} is neither a folder nor a manifest; name one that is there`)
  const file = kind === 'folder' ? join(given, 'service.json') : given
  if (kind === 'folder' && !(await exists(file))) {
    throw new InputError(noManifest(path))
  }
  const read = await loadManifest(file, { signal: cli.signal })
  const manifest = change.replicas === undefined ? read : { ...read, replicas: change.replicas }
  const named = [
    { dir: dirname(file), files: manifest.staple },
    { dir: cli.cwd, files: change.staple ?? [], option: '--staple' },
  ]
  const staples = await loadStaples(cli.clock, named, { signal: cli.signal })
  if (manifest.code !== undefined) return { manifest, file, staples }
  const folder = resolve(dirname(file), manifest.dir ?? '.')
  if ((await kindOf(folder)) === 'folder') return { manifest, file, folder, staples }
  throw new InputError(`${basename(file)}: dir is ${JSON.stringify(manifest.dir)}, but there is no folder ${folder}`)
}

/** Signs it; no node on the way can change it. */
export function signDraft(
  cli: Pick<Cli, 'clock' | 'rng' | 'out'>,
  { manifest, file, inline, staples }: Draft,
  init: { signer: Signer; network: string; seq: number; code: CID; replyTo: readonly string[] },
): Announcement {
  const { signer, network, seq, code, replyTo } = init
  noteStrayStaples(cli, staples, code)
  const { reach, ticket } = issueTicket(manifest.depth, cli.rng.bytes(32))
  const signing = { author: signer.address, seq, issued: nowSeconds(cli.clock), code, inline, replyTo, reach, staples }
  const body = manifestToBody(manifest, signing, basename(file))
  return { signed: signService(encodeService(body), network, signer), ticket }
}

async function kindOf(path: string): Promise<'folder' | 'file' | undefined> {
  const info = await stat(path).catch(() => undefined)
  if (info?.isDirectory() === true) return 'folder'
  return info?.isFile() === true ? 'file' : undefined
}
