// Joins the modules of the built program, and most of what they import, into few files: reading a thousand files takes
// most of the time in which the program starts. Its child processes and the package's exports stay as `tsc` wrote them.
// `tsc` writes what this reads: it always runs after it.
import { writeFileSync } from 'node:fs'
import { join, relative, sep } from 'node:path'
import { type Plugin, rolldown } from 'rolldown'

/** Has files beside its modules that it finds by their path, or native code; or is optional. */
const APART = [
  ...['@chainsafe/blst', '@npmcli/config', 'classic-level', 'cpu-features', 'datastore-level', 'pino', 'ssh2'],
  ...['@observablehq/plot', 'linkedom'],
]

const ENTRY = 'src/cli/program.js'
const CHUNKS = 'chunks'

await bundle(join(import.meta.dirname, '../dist'))

async function bundle(dist: string): Promise<void> {
  const build = await rolldown({
    input: join(dist, ENTRY),
    platform: 'node',
    external: (id) => APART.some((name) => id === name || id.startsWith(`${name}/`)),
    plugins: [modulesKeepTheirUrl(dist)],
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
function modulesKeepTheirUrl(dist: string): Plugin {
  return {
    name: 'modules-keep-their-url',
    transform(code, id) {
      if (id.startsWith('\0') || !code.includes('import.meta.url')) return undefined
      const path = relative(join(dist, CHUNKS), id).split(sep).join('/')
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
