import { visible } from '../../data/text.ts'
import type { PackFile } from './tar.ts'

/** What macOS puts into an archive beside the files: it is no part of them. */
const OF_MACOS = /^__MACOSX\/|(?:^|\/)\._[^/]*$/

/** The files of an archive by paths of their own: in the one folder around them all there is none. Throws one sentence. */
export function withOwnPaths(all: readonly PackFile[]): PackFile[] {
  const files = all
    .map((file) => ({ ...file, path: file.path.replace(/^(?:\.\/+)+/, '') }))
    .filter(({ path }) => !OF_MACOS.test(path))
  // before the folder is taken away, which may be ".."
  for (const { path } of files) checkPath(path)
  // one folder around everything is how most archives are made
  const around = `${files[0]?.path.split('/')[0]}/`
  if (!files.every(({ path }) => path.startsWith(around))) return files
  return files.map((file) => ({ ...file, path: file.path.slice(around.length) }))
}

/** What the rules of packing cannot be asked about. The node looks at more when it has the code. */
function checkPath(path: string): void {
  if (path === '') throw new Error('A file of the archive has no name; pack it again.')
  const name = `"${visible(path)}"`
  if (path.startsWith('/')) throw new Error(`${name} is absolute; paths in an archive are relative.`)
  const part = path.split('/').find((one) => one === '' || one === '.' || one === '..')
  if (part === undefined) return
  const has = part === '' ? 'an empty part' : `the part "${part}"`
  throw new Error(`${name} has ${has} in its path; pack the archive again without it.`)
}
