import { createHash } from 'node:crypto'
import { chmod, copyFile, cp, mkdir, readdir, rename, rm, stat, writeFile } from 'node:fs/promises'
import { findPackageJSON } from 'node:module'
import { basename, dirname, join, relative } from 'node:path'
import { entryFile, entryFlags } from '../../base/child-entry.ts'
import { messageOf, UnavailableError } from '../../base/errors.ts'
import { findProgram } from '../../process/index.ts'
import { HELPER_HEAP_MIB } from '../constants.ts'
import { librariesOf } from '../docker/images/libraries.ts'
import { ENTER, INIT, INNER, POOL_ETC, POOL_ROOT, TOOL_PROGRAMS, TOOLS } from './scripts.ts'

/** Raised when the programs or the scripts change in a way that the files do not say. */
const CONTENT = 2
const LOADER = /\/ld-[^/]*$/

/**
 * Puts what starts and keeps a run into a folder that every pool has: this node's Node and a few programs of its machine,
 * each with the libraries that it needs, and the node's own code. Answers the folder's name, which is its content's: a node
 * of another version makes another, and what was started from the one before goes on.
 */
export async function ensureTools(dir: string, keep: () => Promise<ReadonlySet<string>>): Promise<string> {
  const root = dirname(findPackageJSON(import.meta.url) as string)
  const own = entryFile(import.meta.url, './shim-main')
  const parts = own.endsWith('.ts') ? ['src', 'protocols', 'package.json'] : ['dist', 'package.json']
  const programs = [['node', process.execPath] as const, ...TOOL_PROGRAMS.map((name) => [name, locate(name)] as const)]
  const digest = createHash('sha256').update(`${CONTENT} ${ENTER} ${INNER} ${INIT}`)
  for (const path of [...programs.map(([, path]) => path), ...parts.map((part) => join(root, part))])
    await describe(path, digest)
  const version = digest.digest('hex').slice(0, 16)
  const target = join(dir, version)
  if ((await stat(target).catch(() => undefined)) !== undefined) return version
  const draft = `${target}.new-${process.pid}`
  await rm(draft, { recursive: true, force: true })
  try {
    await mkdir(join(draft, 'bin'), { recursive: true })
    await mkdir(join(draft, 'lib'))
    for (const [name, path] of programs) await addProgram(draft, name, path)
    for (const part of parts)
      await cp(join(root, part), join(draft, 'app', part), {
        recursive: true,
        filter: (path) => !/\/vectors$/.test(path),
      })
    const shim = join(POOL_ROOT, 'tools', version, 'app', relative(root, own))
    const flags = [`--max-old-space-size=${HELPER_HEAP_MIB}`, ...entryFlags(import.meta.url)]
    const scripts = { enter: ENTER.replace('@SHIM@', [...flags, shim].join(' ')), inner: INNER, init: INIT }
    for (const [name, text] of Object.entries(scripts)) await writeFile(join(draft, `${name}.sh`), text)
    await mkdir(join(draft, 'etc'))
    for (const [name, text] of Object.entries(POOL_ETC)) await writeFile(join(draft, 'etc', name), text)
    await open(draft)
    await rename(draft, target).catch(async (error: unknown) => {
      if ((await stat(target).catch(() => undefined)) === undefined) throw error
    })
  } finally {
    await rm(draft, { recursive: true, force: true })
  }
  await removeOthers(dir, new Set([version, ...(await keep())]))
  return version
}

/** Where a pool's container has the tools of this version. */
export const toolsAt = (version: string) => `${TOOLS}/${version}`

/** What this machine lacks for pools, as one sentence. */
export function missingTool(): string | undefined {
  try {
    for (const name of TOOL_PROGRAMS) locate(name)
    return undefined
  } catch (error) {
    return messageOf(error)
  }
}

function locate(name: string): string {
  const found = findProgram(name) ?? findProgram(`/usr/sbin/${name}`)
  if (found !== undefined) return found
  const of = name === 'ip' ? 'iproute2' : name === 'sh' ? 'a shell' : 'util-linux and coreutils'
  throw new UnavailableError(`a pool needs the program "${name}" of this machine: install ${of}`)
}

async function addProgram(draft: string, name: string, path: string): Promise<void> {
  await copyFile(path, join(draft, 'bin', name))
  for (const { path: at, file } of await librariesOf(path)) {
    await copyFile(file, join(draft, 'lib', LOADER.test(at) ? 'ld' : basename(at)))
  }
}

/** Names, sizes and times: what changes a file changes one of them. */
async function describe(path: string, digest: ReturnType<typeof createHash>): Promise<void> {
  const found = await stat(path)
  if (!found.isDirectory()) return void digest.update(`${path} ${found.size} ${found.mtimeMs}\n`)
  for (const name of (await readdir(path)).sort()) if (name !== 'vectors') await describe(join(path, name), digest)
}

/** Every user of a pool may read and run them. */
async function open(dir: string): Promise<void> {
  await chmod(dir, 0o755)
  for (const entry of await readdir(dir, { withFileTypes: true })) {
    const path = join(dir, entry.name)
    if (entry.isDirectory()) await open(path)
    else if (entry.isFile()) await chmod(path, (await stat(path)).mode & 0o111 ? 0o755 : 0o644)
  }
}

async function removeOthers(dir: string, kept: ReadonlySet<string>): Promise<void> {
  const others = (await readdir(dir)).filter((name) => !kept.has(name) && !name.includes('.new-'))
  await Promise.all(others.map((name) => rm(join(dir, name), { recursive: true, force: true })))
}
