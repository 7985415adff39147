import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'

const ROOT = resolve(import.meta.dirname, '../../..')
const FOLDERS = ['configs', 'docs', 'protocols', 'scripts', 'src', 'test']
const FILES = [
  ...readdirSync(ROOT),
  ...FOLDERS.flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' }).map((file) => `${folder}/${file}`),
  ),
]
const DOCUMENTS = FILES.filter((file) => /^(docs\/.*|[A-Z]+)\.md$/.test(file) && file !== 'CHANGELOG.md')
type Manifest = {
  files: readonly string[]
  dependencies: Record<string, string>
  optionalDependencies: Record<string, string>
}
const {
  files: shipped,
  dependencies,
  optionalDependencies,
}: Manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
/** npm packs these whatever `files` says. */
const ALWAYS = ['README.md', 'LICENSE', 'package.json']

const read = (file: string) => readFileSync(join(ROOT, file), 'utf8')
const anchorOf = (heading: string) =>
  heading
    .toLowerCase()
    .replace(/[^\w\- ]/g, '')
    .replaceAll(' ', '-')

function isShipped(path: string): boolean {
  return ALWAYS.includes(path) || shipped.some((entry) => path === entry || path.startsWith(`${entry}/`))
}

describe.each(DOCUMENTS)('%s', (document) => {
  const text = read(document)

  it('links to files of the package, and to headings that exist', () => {
    for (const [, target = ''] of text.matchAll(/\]\((?!https?:)([^)\s]+)\)/g)) {
      const [path = '', anchor] = target.split('#')
      const file = path === '' ? document : join(dirname(document), path)
      expect(FILES, target).toContain(file)
      expect(isShipped(file), `${target} is in the package`).toBe(true)
      if (anchor === undefined) continue
      const headings = [...read(file).matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) => anchorOf(heading))
      expect(headings, target).toContain(anchor)
    }
  })

  it('names files that exist', () => {
    const outsideOfCode = text.replaceAll(/^```[\s\S]*?^```/gm, '')
    const named = [...outsideOfCode.matchAll(/`((?:[\w.-]+\/)*[\w.-]+\.ts|(?:src|test|scripts|protocols)\/[\w./-]*)`/g)]
    const missing = named.flatMap(([, name = '']) => {
      const planned = text.includes('## Not built yet') && text.split('## Not built yet')[1]?.includes(`\`${name}\``)
      const known = FILES.some((file) => `/${file}`.endsWith(`/${name}`) || file.startsWith(name))
      return known || planned === true ? [] : [name]
    })
    expect(missing).toEqual([])
  })
})

it.each([
  ['docs/README.md', (file: string) => dirname(file) === 'docs'],
  ['docs/decisions/README.md', (file: string) => file.startsWith('docs/decisions/')],
])('%s links to every file that it is the index of', (index, covers) => {
  const folder = dirname(index)
  const inside = DOCUMENTS.filter((file) => covers(file) && file !== index)
  expect(inside.length).toBeGreaterThan(10)
  expect(inside.filter((file) => !read(index).includes(`](${file.slice(folder.length + 1)})`))).toEqual([])
})

it.each([
  ['README.md', 150],
  ['ARCHITECTURE.md', 120],
])('%s stays short', (document, lines) => {
  expect(read(document).trimEnd().split('\n').length).toBeLessThanOrEqual(lines)
})

it('docs/requirements.md names every dependency, and no other package', () => {
  const table = read('docs/requirements.md').split('| for | package |')[1]?.split('\n\n')[0] ?? ''
  const named = [...table.matchAll(/`([^`]+)`/g)].map(([, name]) => name)
  expect(named.sort()).toEqual(Object.keys({ ...dependencies, ...optionalDependencies }).sort())
})
