import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The built dashboard lies beside the compiled program; the program that runs from sources finds the same folder. */
const BUILT = fileURLToPath(
  new URL(import.meta.url.endsWith('.ts') ? '../../../dist/dashboard/' : '../../../dashboard/', import.meta.url),
)

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
}

/** In the order of preference: where a client takes several, the smallest file is sent. */
const ENCODINGS = [
  { name: 'br', ending: '.br' },
  { name: 'gzip', ending: '.gz' },
] as const

export type Asset = {
  readonly body: Uint8Array<ArrayBuffer>
  readonly type: string
  readonly encoding?: 'br' | 'gzip' | undefined
  readonly etag: string
}

/** The files of the built dashboard. Only what was listed is ever read: a name is looked up, not joined to a path. */
export interface Assets {
  /** `name`: "index.html", "assets/index-1a2b.js". `accepts`: the header Accept-Encoding. Undefined where there is no such file. */
  find(name: string, accepts: string | undefined): Promise<Asset | undefined>
}

/** The list is read again with each page: a program that is replaced while it runs gets along. Not built, there are no files. */
export function createAssets(folder = BUILT): Assets {
  let listed: Promise<ReadonlySet<string>> | undefined

  async function list(): Promise<ReadonlySet<string>> {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => [])
    const files = entries.filter((entry) => entry.isFile())
    return new Set(
      files.map(({ parentPath, name }) => join(parentPath, name).slice(folder.length).replaceAll('\\', '/')),
    )
  }

  return {
    async find(name, accepts) {
      if (name === 'index.html' || listed === undefined) listed = list()
      const names = await listed
      const type = TYPES[extname(name)]
      if (type === undefined || !names.has(name)) return undefined
      const encoding = ENCODINGS.find((each) => acceptsEncoding(accepts, each.name) && names.has(name + each.ending))
      const body = await readFile(join(folder, name + (encoding?.ending ?? '')))
      const etag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`
      return { body, type, encoding: encoding?.name, etag }
    },
  }
}

/** RFC 9110, 12.5.3: a list of names, each with a weight; 0 refuses. */
function acceptsEncoding(header: string | undefined, wanted: string): boolean {
  const weights = new Map(
    (header ?? '').split(',').map((part) => {
      const [name = '', ...parameters] = part.split(';').map((text) => text.trim().toLowerCase())
      const weight = parameters.find((text) => text.startsWith('q='))?.slice(2) ?? '1'
      return [name, Number(weight)] as const
    }),
  )
  return (weights.get(wanted) ?? weights.get('*') ?? 0) > 0
}
