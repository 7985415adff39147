// Joins the modules of the built program, and most of what they import, into few files: reading a thousand files takes
// most of the time in which the program starts. Child processes that start with every run are joined into one file each. The
// other ones and the package's exports stay as `tsc` wrote them. `tsc` writes what this reads: it always runs after it.
import { mkdirSync, writeFileSync } from 'node:fs'
import { basename, dirname, join, relative, sep } from 'node:path'
import { type Plugin, rolldown } from 'rolldown'

/** Has files beside its modules that it finds by their path, or native code; or is optional. */
const APART = [
  ...['@chainsafe/blst', '@npmcli/config', 'classic-level', 'cpu-features', 'datastore-level', 'pino', 'ssh2'],
  ...['@observablehq/plot', 'linkedom'],
]

const ENTRY = 'src/cli/program.js'
const CHUNKS = 'chunks'

/** Need Node and modules of ours alone. Each keeps its place: sandboxes and containers show it by its path. */
const CHILDREN = [
  ...['code/images/layer-child', 'code/outputs/child', 'code/unpack/child'],
  ...['execution/gateway/socket-main', 'execution/host/shim-main', 'execution/pool/shim-main'],
].map((path) => `src/${path}.js`)

const DIST = join(import.meta.dirname, '../dist')
await Promise.all([bundleProgram(DIST), bundleChildren(DIST)])

async function bundleChildren(dist: string): Promise<void> {
  const outputs = await Promise.all(CHILDREN.map((path) => filesOfChild(join(dist, path))))
  for (const [path, text] of outputs.flat()) {
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, text)
  }
}

/** The entry, and in a folder beside it what it imports only when it needs it. */
async function filesOfChild(entry: string): Promise<[path: string, text: string][]> {
  const name = basename(entry, '.js')
  const build = await rolldown({
    input: entry,
    platform: 'node',
    plugins: [modulesKeepTheirUrl(dirname(entry))],
    logLevel: 'warn',
  })
  const { output } = await build.generate({
    format: 'esm',
    entryFileNames: `${name}.js`,
    chunkFileNames: `${name}-${CHUNKS}/[name]-[hash].js`,
  })
  await build.close()
  return output.flatMap((file) => (file.type === 'chunk' ? [[join(dirname(entry), file.fileName), file.code]] : []))
}

async function bundleProgram(dist: string): Promise<void> {
  const build = await rolldown({
    input: join(dist, ENTRY),
    platform: 'node',
    external: (id) => APART.some((name) => id === name || id.startsWith(`${name}/`)),
    plugins: [modulesKeepTheirUrl(join(dist, CHUNKS))],
    logLevel: 'warn',
  })
  await build.write({
    dir: join(dist, CHUNKS),
    format: 'esm',
    entryFileNames: 'program.js',
    chunkFileNames: '[name]-[hash].js',
    cleanDir: true,
  })
  await build.close()
  writeFileSync(join(dist, ENTRY), `export { runProgram } from '../../${CHUNKS}/program.js'\n`)
}

/** A module finds its child processes and files by its URL, which is still that of the file that `tsc` wrote. */
function modulesKeepTheirUrl(folder: string): Plugin {
  return {
    name: 'modules-keep-their-url',
    transform(code, id) {
      if (id.startsWith('\0') || !code.includes('import.meta.url')) return undefined
      const path = relative(folder, id).split(sep).join('/')
      const url = `new URL(${JSON.stringify(path)}, import.meta.url).href`
      return urlsIn(this.parse(code)).reduceRight(
        (text, { start, end }) => text.slice(0, start) + url + text.slice(end),
        code,
      )
    },
  }
}

type SyntaxNode = { readonly type: string; readonly start: number; readonly end: number }

/** Where a module reads `import.meta.url`, in the order of the text; what stands in a string is none. */
function urlsIn(node: unknown): SyntaxNode[] {
  if (typeof node !== 'object' || node === null) return []
  if (isUrl(node)) return [node]
  return Object.values(node).flatMap(urlsIn)
}

function isUrl(node: object): node is SyntaxNode {
  const { type, object, property } = node as { type?: string; object?: SyntaxNode; property?: { name?: string } }
  return type === 'MemberExpression' && object?.type === 'MetaProperty' && property?.name === 'url'
}
