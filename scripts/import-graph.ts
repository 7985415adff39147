import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { FLOORS } from './biome/floors.ts'

const IMPORT = /(?:\bfrom|\bimport)\s*\(?\s*'(\.{1,2}\/[^']+)'/g

const ROOMS = ['protocols', ...FLOORS.flat()]
const [BEGIN, END] = ['<!-- imports: made from the sources -->', '<!-- /imports -->']

/** `document` with the table of who imports from whom, as the sources have it, between its two marks. */
export function withImportTable(document: string, root: string): string {
  const [before, after] = [document.split(BEGIN)[0], document.split(END)[1]]
  if (before === undefined || after === undefined) throw new Error(`"${BEGIN}" and "${END}" must stand in the document`)
  return `${before}${BEGIN}\n${importTable(root)}\n${END}${after}`
}

/** Which room imports from which, from the ground up: a table in Markdown. Imports of types count. */
function importTable(root: string): string {
  const imports = new Map(ROOMS.map((room) => [room, new Set<string>()]))
  for (const folder of ['protocols', 'src']) {
    for (const file of readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })) {
      if (!/\.tsx?$/.test(file)) continue
      const path = join(folder, file)
      for (const [, target = ''] of readFileSync(join(root, path), 'utf8').matchAll(IMPORT)) {
        const other = roomOf(join(dirname(path), target))
        if (other !== roomOf(path) && imports.has(other)) imports.get(roomOf(path))?.add(other)
      }
    }
  }
  const rows = [['protocols'], ...FLOORS].flatMap((rooms, floor) =>
    rooms.flatMap((room) => {
      if (!existsSync(join(root, room)) && !existsSync(join(root, 'src', room))) return []
      const below = [...(imports.get(room) ?? [])].sort((a, b) => ROOMS.indexOf(b) - ROOMS.indexOf(a))
      return `| ${floor} | ${room} | ${below.join(', ') || '-'} |`
    }),
  )
  return ['| floor | folder | imports from |', '|---|---|---|', ...rows].join('\n')
}

function roomOf(path: string): string {
  const [first = '', second = ''] = path.split('/')
  return first === 'src' ? second : first
}
