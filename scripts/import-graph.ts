import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { FLOORS } from './biome/floors.ts'

const IMPORT = /(?:\bfrom|\bimport)\s*\(?\s*'(\.{1,2}\/[^']+)'/g

const FOLDERS = ['protocols', ...FLOORS.flat()]
const [BEGIN, END] = ['<!-- imports: made from the sources -->', '<!-- /imports -->']

/** `document` with the table of imports between folders, as the sources have it, between its two marks. */
export function withImportTable(document: string, root: string): string {
  const [before, after] = [document.split(BEGIN)[0], document.split(END)[1]]
  if (before === undefined || after === undefined) throw new Error(`"${BEGIN}" and "${END}" must stand in the document`)
  return `${before}${BEGIN}\n${importTable(root)}\n${END}${after}`
}

/** Which folder imports from which, lowest floor first: a table in Markdown. Imports of types count. */
function importTable(root: string): string {
  const imports = new Map(FOLDERS.map((folder) => [folder, new Set<string>()]))
  for (const folder of ['protocols', 'src']) {
    for (const file of readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })) {
      if (!/\.tsx?$/.test(file)) continue
      const path = join(folder, file)
      for (const [, target = ''] of readFileSync(join(root, path), 'utf8').matchAll(IMPORT)) {
        const other = folderOf(join(dirname(path), target))
        if (other !== folderOf(path) && imports.has(other)) imports.get(folderOf(path))?.add(other)
      }
    }
  }
  const rows = [['protocols'], ...FLOORS].flatMap((folders, floor) =>
    folders.flatMap((folder) => {
      if (!existsSync(join(root, folder)) && !existsSync(join(root, 'src', folder))) return []
      const below = [...(imports.get(folder) ?? [])].sort((a, b) => FOLDERS.indexOf(b) - FOLDERS.indexOf(a))
      return `| ${floor} | ${folder} | ${below.join(', ') || '-'} |`
    }),
  )
  return ['| floor | folder | imports from |', '|---|---|---|', ...rows].join('\n')
}

function folderOf(path: string): string {
  const [first = '', second = ''] = path.split('/')
  return first === 'src' ? second : first
}
