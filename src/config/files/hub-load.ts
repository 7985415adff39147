import { constants } from 'node:fs'
import { access, readdir, stat } from 'node:fs/promises'
import { delimiter, isAbsolute, join, resolve } from 'node:path'
import type { Signer } from '../../../protocols/signature.ts'
import { InputError } from '../../base/errors.ts'
import type { Notice } from '../configuration.ts'
import type { Env } from '../env.ts'
import { loadHubKey } from '../keys/hub-key.ts'
import { exists, octal, type ReadOptions, readJson } from '../read.ts'
import { check, valueText } from '../settings-error.ts'
import { type HubFile, hubSchema } from './hub-schema.ts'

export const HUB_FILE = 'hub.json'

/** What a sandbox has at these places is its own. */
const NOT_SHOWN = ['/code', '/scan', '/work', '/proc', '/dev']
/** Signatures as ClamAV keeps them: databases, single kinds of signatures, bytecode. */
const SIGNATURES = /\.(cvd|cld|cud|ndb|ndu|hdb|hdu|hsb|hsu|mdb|msb|ldb|ldu|db|fp|yar|yara|cbc|wdb|pdb|ftm)$/i

type Limits = { readonly timeoutMs: number; readonly memoryBytes: number }

/** One scanner of an operator. Absolute paths. */
export type ScannerSettings =
  | { readonly kind: 'manifest' }
  | (Limits & { readonly kind: 'clamav'; readonly program: string; readonly database: string })
  | (Limits & {
      readonly kind: 'command'
      readonly name: string
      readonly command: readonly string[]
      readonly shows: readonly string[]
    })

/** Everything that hub.json says, and that a hub needs. */
export type HubSettings = {
  /** undefined: the node's own key signs */
  readonly signer: Signer | undefined
  readonly scanners: readonly ScannerSettings[]
  readonly validSeconds: number
  readonly report: string | undefined
  readonly concurrency: number
  /** bytes of the largest code that is examined */
  readonly maxSize: number
}

/** From the command line: above what the file says. */
export type HubOverrides = {
  readonly scanners?: readonly string[] | undefined
  readonly key?: string | undefined
  readonly database?: string | undefined
}

/**
 * Reads hub.json of an operator's folder, which need not be there, and looks whether its scanners are. Every mistake is
 * an InputError with one sentence. `overrides` has absolute paths.
 */
export async function loadHub(
  dir: string,
  options: ReadOptions & { env?: Env | undefined; overrides?: HubOverrides | undefined } = {},
): Promise<{ settings: HubSettings; notices: readonly Notice[] }> {
  const { overrides = {}, env = {} } = options
  const path = join(dir, HUB_FILE)
  const raw = (await exists(path)) ? await readJson(path, HUB_FILE, '', options) : {}
  // the file alone first: an override must not hide what is wrong in it
  const fromFile = check(hubSchema, raw, HUB_FILE)
  const names = overrides.scanners ?? fromFile.SCANNERS
  const file = names === undefined ? fromFile : check(hubSchema, { ...(raw as object), SCANNERS: names }, '--scanner')
  const key = overrides.key ?? (file.KEY === undefined ? undefined : resolve(dir, file.KEY))
  const { scanners, notices } = await scannersOf(dir, file, overrides, env)
  return {
    settings: {
      signer: key === undefined ? undefined : await loadHubKey(key, options),
      scanners,
      validSeconds: file.VALID,
      report: file.REPORT,
      concurrency: file.CONCURRENCY,
      maxSize: file.MAX_SIZE,
    },
    notices,
  }
}

async function scannersOf(dir: string, file: HubFile, { database }: HubOverrides, env: Env) {
  const notices: Notice[] = []
  const scanners: ScannerSettings[] = []
  const signatures = database ?? resolve(dir, file.CLAMAV.DATABASE)
  const clamav = await clamavOf(file, signatures, env)
  for (const name of file.SCANNERS ?? ['clamav', 'manifest', ...Object.keys(file.COMMANDS)]) {
    if (name === 'manifest') scanners.push({ kind: 'manifest' })
    else if (name !== 'clamav') scanners.push(await commandOf(dir, name, file))
    else if (!('unavailableReason' in clamav)) scanners.push(clamav)
    // an operator that sets signatures wants them used
    else if (file.SCANNERS !== undefined || database !== undefined) throw new InputError(clamav.unavailableReason)
    else
      notices.push({
        file: HUB_FILE,
        key: 'SCANNERS',
        message: `code is not scanned for malware: ${clamav.unavailableReason}`,
      })
  }
  return { scanners, notices }
}

async function clamavOf({ CLAMAV }: HubFile, database: string, env: Env) {
  const { PROGRAM, TIMEOUT, MEMORY } = CLAMAV
  const program = await findProgram(PROGRAM, env)
  if (program === undefined) {
    const advice = 'install ClamAV (Debian: apt-get install clamav; Fedora: dnf install clamav)'
    return {
      unavailableReason: `${HUB_FILE}: CLAMAV.PROGRAM is ${valueText(PROGRAM)}, which is not installed; ${advice}`,
    }
  }
  const advice = 'run `freshclam`, or name a folder with CLAMAV.DATABASE or --database'
  await checkReadable(database, `${HUB_FILE}: CLAMAV.DATABASE`)
  if (!(await hasSignatures(database)))
    return { unavailableReason: `${database} has no signatures of ClamAV; ${advice}` }
  return { kind: 'clamav', program, database, timeoutMs: TIMEOUT * 1000, memoryBytes: MEMORY } as const
}

async function commandOf(dir: string, name: string, { COMMANDS }: HubFile): Promise<ScannerSettings> {
  const { COMMAND, SHOWS, TIMEOUT, MEMORY } = COMMANDS[name] as HubFile['COMMANDS'][string]
  const shows: string[] = []
  for (const [index, text] of SHOWS.entries()) {
    const where = `${HUB_FILE}: COMMANDS.${name}.SHOWS[${index}] is ${valueText(text)}`
    const path = resolve(dir, text)
    if (!(await exists(path))) throw new InputError(`${where}, but there is no ${path}`)
    const taken = NOT_SHOWN.find((own) => path === own || path.startsWith(`${own}/`) || path === '/')
    if (taken !== undefined) {
      throw new InputError(`${where}, which is a place that a sandbox has of its own; allowed is any other path`)
    }
    await checkReadable(path, `${HUB_FILE}: COMMANDS.${name}.SHOWS[${index}]`)
    shows.push(path)
  }
  return { kind: 'command', name, command: COMMAND, shows, timeoutMs: TIMEOUT * 1000, memoryBytes: MEMORY }
}

/** If the hub is root, its scanners run as another user. */
async function checkReadable(path: string, what: string): Promise<void> {
  if (process.getuid?.() !== 0) return
  const info = await stat(path).catch(() => undefined)
  if (info === undefined) return
  const needed = info.isDirectory() ? 0o005 : 0o004
  if ((info.mode & needed) === needed) return
  const mode = octal(info.mode & 0o777)
  throw new InputError(
    `${what}, ${path}, cannot be read by the sandbox, which is another user (mode ${mode}); run \`chmod -R o+rX ${path}\``,
  )
}

async function hasSignatures(path: string): Promise<boolean> {
  const info = await stat(path).catch(() => undefined)
  if (info?.isFile() === true) return SIGNATURES.test(path)
  return (await readdir(path).catch(() => [])).some((name) => SIGNATURES.test(name))
}

async function findProgram(name: string, env: Env): Promise<string | undefined> {
  const folders = [...(env.PATH ?? '').split(delimiter).filter(isAbsolute), '/usr/bin', '/usr/local/bin']
  const candidates = isAbsolute(name) ? [name] : folders.map((folder) => join(folder, name))
  for (const path of candidates) {
    const found = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    )
    if (found) return path
  }
  return undefined
}
