import { createHash } from 'node:crypto'
import { stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { addressBytes, decodeAddress, formatAddress } from '../../protocols/address.ts'
import { type Signed, signService, signStop } from '../../protocols/announcement.ts'
import { type CID, parseCid } from '../../protocols/encoding.ts'
import { MAX_DEPTH, MAX_LIFETIME_SECONDS } from '../../protocols/limits.ts'
import { issueTicket, type Ticket } from '../../protocols/redirection.ts'
import { encodeService } from '../../protocols/service.ts'
import type { Signer } from '../../protocols/signature.ts'
import { encodeStop } from '../../protocols/stop.ts'
import { findSecrets, secretsText } from '../admission/secrets.ts'
import { type Clock, nowSeconds } from '../base/clock.ts'
import { InputError } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import type { Rng } from '../base/rng.ts'
import { IGNORE_FILE, listFolder } from '../code/index.ts'
import {
  loadManifest,
  loadStaples,
  type Manifest,
  manifestToBody,
  type OwnService,
  parseManifest,
  type Staples,
} from '../config/index.ts'
import { type Journal, restoredAt } from '../journal/index.ts'
import type { SignedService } from '../services/registry.ts'

/** Configured services are re-signed when less than this share of their lifetime remains. */
const RENEW_BELOW = 0.25

export interface ServiceSignerComponents {
  clock: Clock
  rng: Rng
  log: Log
  journal: Pick<Journal, 'heads' | 'meta' | 'announcements'>
  signer: Signer
  code: { addFolder(dir: string, options?: { signal?: AbortSignal | undefined }): Promise<{ code: CID }> }
  replyTo(): string[]
}

export type Issued<S extends Signed = Signed> = { readonly signed: S; readonly ticket: Ticket }

/** What this node signs with its own key: services from manifests, and their stops. */
export interface ServiceSigner {
  /** A manifest from the API: its code is here already, or its sources say where. */
  fromManifest(value: unknown): Promise<Issued<SignedService>>
  /** One of SERVICES: packed, and re-signed only when it changed or is about to expire. */
  fromConfiguration(service: OwnService, options?: { signal?: AbortSignal | undefined }): Promise<Issued<SignedService>>
  stopOf(signed: SignedService): Issued
}

export function createServiceSigner(components: ServiceSignerComponents, init: { network: string }): ServiceSigner {
  const { clock, rng, journal, signer, code } = components
  const author = addressBytes(signer.address)

  function sign(manifest: Manifest, archive: CID, file?: string, staples?: Staples): Issued<SignedService> {
    const { reach, ticket } = issueTicket(manifest.depth, rng.bytes(32))
    const head = journal.heads.get(author, manifest.name)
    // versions that the original signed after the backup are not known here, and are below this
    const floor = restoredAt(journal.meta) ?? 1
    const signing = {
      author: signer.address,
      seq: Math.max(floor, (head?.seq ?? 0) + 1),
      issued: nowSeconds(clock),
      code: archive,
      replyTo: components.replyTo(),
      reach,
      staples,
    }
    const body = encodeService(manifestToBody(manifest, signing, file))
    return { signed: signService(body, init.network, signer) as SignedService, ticket }
  }

  function codeIn(manifest: Manifest): CID {
    if (manifest.code !== undefined) return parseCid(manifest.code, 'code')
    throw new InputError('manifest: code is missing; name the content id of an archive that is here or in its sources')
  }

  /** The one signed before, where it still says the same and has time left. */
  function issuedBefore(name: string, fingerprint: string): Issued<SignedService> | undefined {
    const [known, id = ''] = (journal.meta.get(`own/${name}`) ?? '').split(' ')
    const record = known === fingerprint ? journal.announcements.get(id) : undefined
    if (record === undefined || record.state !== 'live') return undefined
    const left = record.expires - nowSeconds(clock)
    if (left < (record.expires - record.issued) * RENEW_BELOW) return undefined
    const signed = signService(record.body, init.network, signer) as SignedService
    return { signed, ticket: { depth: record.depth, proof: record.proof } }
  }

  /** The operator named the folder in his settings, and has no way to be asked. */
  async function warnOfSecrets(name: string, folder: string, options: { signal?: AbortSignal | undefined }) {
    const secrets = await findSecrets(await listFolder(folder, options), options)
    if (secrets.length === 0) return
    const advice = `keep them out with lines in ${IGNORE_FILE}`
    components.log.warn('a service is published with what looks secret', { name, files: secretsText(secrets), advice })
  }

  return {
    async fromManifest(value) {
      const manifest = parseManifest(value)
      return sign(manifest, codeIn(manifest))
    },
    async fromConfiguration({ name, kind, path }, { signal } = {}) {
      const file = kind === 'dir' ? join(path, 'service.json') : path
      const manifest = await loadManifest(file, { signal })
      if (manifest.name !== name) {
        throw new InputError(`${file}: name is "${manifest.name}", but SERVICES calls it "${name}"; make them equal`)
      }
      const folder = await folderOf(manifest, dirname(file))
      if (folder !== undefined) await warnOfSecrets(name, folder, { signal })
      const archive = folder === undefined ? codeIn(manifest) : (await code.addFolder(folder, { signal })).code
      const named = { dir: dirname(file), files: manifest.staple }
      const staples = await loadStaples(clock, [named], { signal, expired: 'leave-out' })
      const fingerprint = createHash('sha256')
        .update(JSON.stringify([manifest, archive.toString(), ...stapled(staples)]))
        .digest('hex')
      const before = issuedBefore(name, fingerprint)
      if (before !== undefined) return before
      const issued = sign(manifest, archive, file, staples)
      journal.meta.set(`own/${name}`, `${fingerprint} ${issued.signed.id}`)
      return issued
    },
    stopOf({ body }) {
      const { reach, ticket } = issueTicket(MAX_DEPTH, rng.bytes(32))
      const issued = nowSeconds(clock)
      const { name, seq } = body
      const stop = {
        v: 1 as const,
        author,
        name,
        seq,
        stop: true as const,
        issued,
        expires: issued + MAX_LIFETIME_SECONDS,
        reach,
      }
      return { signed: signStop(encodeStop(stop), init.network, signer), ticket }
    },
  }
}

/** Is it one of SERVICES: signed by this node, under a name that the operator wrote down? */
export function isOwnService(
  entry: { signed: SignedService } | undefined,
  own: string,
  { services }: { services: readonly OwnService[] },
): boolean {
  if (entry === undefined) return false
  const { author, name } = entry.signed.body
  return formatAddress(decodeAddress(author)) === own && services.some((service) => service.name === name)
}

/** The folder with the code: the manifest's `dir`, by default the manifest's own; none where it names `code`. */
async function folderOf(manifest: Manifest, base: string): Promise<string | undefined> {
  if (manifest.code !== undefined) return undefined
  const folder = join(base, manifest.dir ?? '.')
  if ((await stat(folder).catch(() => undefined))?.isDirectory() === true) return folder
  throw new InputError(`manifest: dir is "${manifest.dir}", but there is no folder ${folder}`)
}

function stapled({ statements, credentials }: Staples): string[] {
  return [...statements, ...credentials].map((encoded) => Buffer.from(encoded).toString('base64'))
}
