import { IGNORE_FILE, isExecutable, readRules } from '../../../../../code/archive/pack-rules.ts'
import { MAX_FILES, tooManyFiles } from './archive-limits.ts'
import { withOwnPaths } from './archive-paths.ts'
import type { PackFile } from './tar.ts'
import { unpackTar } from './untar.ts'
import { isZip, unzip } from './unzip.ts'

/** Bytes from the beginning of a file that tell whether it is executable. */
const HEAD_BYTES = 4
const ARCHIVE = /\.(tar|tgz|tar\.gz|zip)$/i
const MANIFEST = 'service.json'

export type Collected = {
  readonly name: string
  readonly files: readonly PackFile[]
  readonly bytes: number
  /** the text of its service.json */
  readonly manifest: string | undefined
}

export async function collectArchive(file: File): Promise<Collected> {
  if (!ARCHIVE.test(file.name)) {
    throw new Error(`"${file.name}" is neither a folder nor an archive; archives end in .tar, .tar.gz, .tgz or .zip.`)
  }
  const files = (await isZip(file)) ? await unzip(file, MAX_FILES) : await unpackTar(file, MAX_FILES)
  return finish(file.name.replace(ARCHIVE, ''), withOwnPaths(files))
}

export async function finish(name: string, all: readonly PackFile[]): Promise<Collected> {
  // also of what is left out: where there are more, not all were read
  if (all.length > MAX_FILES) throw tooManyFiles(MAX_FILES)
  const kept = await packed(all)
  if (kept.length === 0) throw new Error('There are no files in it.')
  const manifest = await kept.find(({ path }) => path === MANIFEST)?.data.text()
  return { name, files: kept, bytes: kept.reduce((sum, { data }) => sum + data.size, 0), manifest }
}

/** What the node packs of a folder, as it packs it: the same content id as at the command line. */
async function packed(all: readonly PackFile[]): Promise<PackFile[]> {
  const rules = readRules((await all.find(({ path }) => path === IGNORE_FILE)?.data.text()) ?? '')
  if ('problem' in rules) throw new Error(`${rules.problem}.`)
  const { ignores } = rules
  const kept = all.filter(({ path }) => {
    const parts = path.split('/')
    const folders = parts.slice(1).map((_, index) => parts.slice(0, index + 1).join('/'))
    return !folders.some((folder) => ignores(folder, true)) && !ignores(path, false)
  })
  const isProgram = async ({ data }: PackFile) =>
    isExecutable(new Uint8Array(await data.slice(0, HEAD_BYTES).arrayBuffer()))
  return await Promise.all(kept.map(async (file) => ({ ...file, executable: await isProgram(file) })))
}
