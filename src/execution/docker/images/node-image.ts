import { access, lstat, realpath } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { Readable } from 'node:stream'
import type Docker from 'dockerode'
import { UnavailableError } from '../../../base/errors.ts'
import { findProgram } from '../../../process/index.ts'
import { NOBODY, NODE_IMAGE } from '../../constants.ts'
import type { Engine } from '../engine.ts'
import { entriesOf, type TarEntry, tarOf } from './image-tar.ts'
import { isStatic, ldd, librariesOf } from './libraries.ts'

/** 160 MB to a disk that does other things. */
const IMPORT_MS = 10 * 60_000
const BUSYBOX = '/bin/busybox'
const ENV = 'usr/bin/env'
const NPM = 'usr/local/lib/node_modules/npm'
const APPLETS = [
  'sh',
  'cat',
  'echo',
  'ls',
  'sleep',
  'env',
  'id',
  'head',
  'mkdir',
  'cp',
  'rm',
  'test',
  'true',
  'false',
  'yes',
]

/** The kernel's name of a machine -> Node's. */
const ARCHITECTURES: Readonly<Record<string, string>> = { x86_64: 'x64', aarch64: 'arm64', armv7l: 'arm' }

/** Raised when what is in the image changes: an engine keeps the one that an older version made. */
const CONTENT = 3

/** The image of this very Node, in the version that runs the node. */
export function nodeImageTag(): string {
  return `${NODE_IMAGE}:${process.versions.node}-${process.arch}-${CONTENT}`
}

/**
 * The id of an image with this machine's own Node: its binary, the libraries that it needs, a shell where the machine
 * has a static busybox, and what every program expects in /etc. Made once per engine and version.
 */
export async function ensureNodeImage(engine: Engine): Promise<string> {
  const tag = nodeImageTag()
  const present = await engine.askMaybe((docker) => docker.getImage(tag).inspect())
  if (present !== undefined) return present.Id
  if (process.platform !== 'linux')
    throw new UnavailableError(`${tag} can only be made on Linux; pull it from a registry`)
  const { Architecture } = await engine.ask((docker) => docker.info())
  if (Architecture in ARCHITECTURES && ARCHITECTURES[Architecture] !== process.arch) {
    throw new UnavailableError(
      `the engine's machine is ${Architecture}, and this one's Node is for ${process.arch}: load an image of Node for it there, as ${tag}`,
    )
  }
  const entries = await imageEntries()
  const [repo = NODE_IMAGE, version = 'latest'] = tag.split(':')
  const changes = ['ENV PATH=/usr/local/bin:/usr/bin:/bin', `USER ${NOBODY}`, 'CMD ["node"]']
  const answer = await engine.ask(
    (docker) => docker.importImage(Readable.from(tarOf(entries)), { repo, tag: version, changes }),
    IMPORT_MS,
  )
  await followProgress(engine, answer, IMPORT_MS)
  return (await engine.ask((docker) => docker.getImage(tag).inspect())).Id
}

async function imageEntries(): Promise<TarEntry[]> {
  const libraries = await librariesOf(process.execPath)
  const shell = await access(BUSYBOX).then(
    () => true,
    () => false,
  )
  const files: TarEntry[] = [
    { path: 'usr/local/bin/node', file: process.execPath, mode: 0o755 },
    ...libraries.map(({ path, file }) => ({ path: path.slice(1), file, mode: 0o755 })),
    {
      path: 'etc/passwd',
      text: `root:x:0:0::/:/bin/false\nnobody:x:${NOBODY}:${NOBODY}::/work:/bin/sh\n`,
      mode: 0o644,
    },
    { path: 'etc/group', text: `root:x:0:\nnogroup:x:${NOBODY}:\n`, mode: 0o644 },
    { path: 'etc/nsswitch.conf', text: 'passwd: files\ngroup: files\nhosts: files\n', mode: 0o644 },
    ...(shell && (await isStatic(BUSYBOX)) ? shellEntries() : await envEntries()),
    ...(await npmEntries()),
  ]
  const folders = new Set(files.flatMap(({ path }) => parents(path)))
  const empty = ['code', 'work', 'tmp', 'gateway', 'socket', 'proc', 'sys', 'dev']
  return [...[...folders, ...empty.filter((name) => !folders.has(name))].map(folderEntry), ...files]
}

function shellEntries(): TarEntry[] {
  return [
    { path: 'bin/busybox', file: BUSYBOX, mode: 0o755 },
    ...APPLETS.map((name) => ({ path: `bin/${name}`, link: 'busybox' })),
    { path: ENV, link: '../../bin/busybox' },
  ]
}

/** The npm of this machine, which builds call; without one there is none in the image. */
async function npmEntries(): Promise<TarEntry[]> {
  const program = findProgram('npm')
  const cli = program === undefined ? undefined : await realpath(program)
  if (cli === undefined || basename(cli) !== 'npm-cli.js') return []
  const folder = dirname(dirname(cli))
  // a distribution may keep what it depends on elsewhere
  const isWhole = await lstat(join(folder, 'node_modules/@npmcli')).then(
    (found) => found.isDirectory(),
    () => false,
  )
  if (!isWhole) return []
  const entries: TarEntry[] = []
  // the folders above files are made for all of them
  for await (const entry of entriesOf(folder, NPM)) if (!('folder' in entry)) entries.push(entry)
  const links = ['npm', 'npx'].map((name) => ({
    path: `usr/local/bin/${name}`,
    link: `../../../${NPM}/bin/${name}-cli.js`,
  }))
  return [...entries, ...links]
}

/** Programs of packages begin with "#!/usr/bin/env node". */
async function envEntries(): Promise<TarEntry[]> {
  const program = `/${ENV}`
  const { exitCode } = await ldd(program)
  if (exitCode !== 0) return []
  const libraries = (await librariesOf(program)).map(({ path, file }) => ({ path: path.slice(1), file, mode: 0o755 }))
  return [{ path: ENV, file: await realpath(program), mode: 0o755 }, ...libraries]
}

function parents(path: string): string[] {
  const parts = path.split('/').slice(0, -1)
  return parts.map((_, index) => parts.slice(0, index + 1).join('/'))
}

function folderEntry(path: string): TarEntry {
  return { path, folder: true, mode: path === 'tmp' ? 0o1777 : 0o755 }
}

/** Reads an engine's progress stream to its end; the last message may be an error. */
export function followProgress(engine: Engine, answer: NodeJS.ReadableStream, patienceMs: number): Promise<void> {
  const read = ({ modem }: Docker) =>
    new Promise<void>((resolve, reject) => {
      answer.once('close', () => reject(new Error('the answer broke off')))
      modem.followProgress(answer, (error: Error | null) => (error === null ? resolve() : reject(error)))
    })
  return engine.ask(read, patienceMs)
}
