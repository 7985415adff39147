import type { Collected } from './collect-archive.ts'

/** What a person fills in; all text, as it is typed. */
export type Draft = {
  readonly name: string
  readonly title: string
  readonly desc: string
  readonly keywords: string
  readonly toolchain: string
  readonly command: string
  readonly kind: string
  readonly port: string
  readonly memory: string
  readonly cpu: string
  readonly expires: string
  readonly replicas: string
  readonly depth: string
}

const EMPTY: Draft = {
  ...{ name: '', title: '', desc: '', keywords: '', toolchain: 'node.js', command: '', kind: 'service', port: '' },
  ...{ memory: '128MiB', cpu: '0.5', expires: '24h', replicas: '1', depth: '3' },
}

type Manifest = Record<string, unknown> & { run?: Record<string, unknown>; resources?: Record<string, unknown> }

/** A first draft, from its service.json where there is one. `rest`: what the form does not show, and keeps. */
export function draftOf({ name, files, manifest }: Collected): { draft: Draft; rest: Manifest } {
  const given = manifest === undefined ? {} : (JSON.parse(withoutComments(manifest)) as Manifest)
  const script = files.find(({ path }) => /^(?:index|main|server)\.[cm]?js$/.test(path))?.path
  const ports = given.run?.ports as { port?: number }[] | undefined
  const text = (value: unknown, usual: string) => (value === undefined ? usual : String(value))
  const list = (value: unknown, usual: string, separator: string) =>
    Array.isArray(value) ? value.map(quoteWord).join(separator) : usual
  const draft = {
    name: text(
      given.name,
      name
        .toLowerCase()
        .replace(/[^a-z0-9._-]+/g, '-')
        .replace(/^[^a-z0-9]+/, '')
        .slice(0, 64),
    ),
    title: text(given.title, ''),
    desc: text(given.desc, ''),
    keywords: list(given.keywords, '', ', '),
    toolchain: list(given.toolchain, EMPTY.toolchain, ', '),
    command: list(given.run?.command, script === undefined ? '' : `node ${script}`, ' '),
    kind: text(given.run?.kind, EMPTY.kind),
    port: text(ports?.[0]?.port, ''),
    memory: text(given.resources?.memory, EMPTY.memory),
    cpu: text(given.resources?.cpu, EMPTY.cpu),
    expires: text(given.expires, EMPTY.expires),
    replicas: text(given.replicas, EMPTY.replicas),
    depth: text(given.depth, EMPTY.depth),
  }
  return { draft, rest: given }
}

/** What the node signs. What is wrong with it, the node says. */
export function manifestOf(draft: Draft, rest: Manifest, code: string): object {
  const words = (text: string) => text.split(/[\s,]+/).filter((word) => word !== '')
  const { $schema: _schema, dir: _dir, ...kept } = rest
  const [first = { name: 'http' }, ...others] = (rest.run?.ports as object[] | undefined) ?? []
  const ports = draft.port === '' ? others : [{ ...first, port: Number(draft.port) }, ...others]
  return {
    ...kept,
    code,
    name: draft.name,
    ...(draft.title === '' ? {} : { title: draft.title }),
    desc: draft.desc,
    keywords: words(draft.keywords),
    toolchain: words(draft.toolchain),
    expires: draft.expires,
    replicas: Number(draft.replicas),
    depth: Number(draft.depth),
    run: {
      ...rest.run,
      command: splitCommand(draft.command),
      kind: draft.kind,
      ...(ports.length === 0 ? {} : { ports }),
    },
    resources: { ...rest.resources, memory: draft.memory, cpu: draft.cpu },
  }
}

/** Words, of which those in quotation marks may have spaces. */
export function splitCommand(text: string): string[] {
  return [...text.matchAll(/"((?:[^"\\]|\\.)*)"|(\S+)/g)].map(([, quoted, plain]) =>
    quoted === undefined ? (plain as string) : quoted.replace(/\\(.)/g, '$1'),
  )
}

function quoteWord(word: unknown): string {
  const text = String(word)
  return /[\s"]/.test(text) || text === '' ? `"${text.replace(/["\\]/g, '\\$&')}"` : text
}

function withoutComments(text: string): string {
  return text.replace(/"(?:[^"\\]|\\.)*"|\/\/[^\n]*|\/\*[\s\S]*?\*\//g, (found) =>
    found.startsWith('"') ? found : ' ',
  )
}
