import type { Piece } from './walk.ts'

/** Hosts that are reported; a list of every link in a program is of no use. */
const MAX_HOSTS = 64
const MAX_LINE = 4096
const PORTS: Readonly<Record<string, string>> = { http: '80', https: '443', ws: '80', wss: '443', ftp: '21' }
const NAME = '[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)+'
const URLS = new RegExp(`\\b(https?|wss?|ftp)://(${NAME})(?::(\\d{1,5}))?`, 'gi')
/** "db.company.com:5432", as a text of its own */
const LITERALS = new RegExp(`["'\`](${NAME}):(\\d{2,5})["'\`]`, 'gi')

/** Files in which addresses are for people or for tools: they are not what the service does. */
const NOT_CODE = [
  /\.(md|markdown|rst|txt|adoc|html?|css|svg|xml|xsd|map|lock|d\.[cm]?ts|ya?ml|toml|sum|mod)$/i,
  /(^|\/)(LICEN[CS]E|NOTICE|COPYING|AUTHORS|CHANGELOG|CHANGES|README|CONTRIBUTING|HISTORY)[^/]*$/i,
  /(^|\/)(package(-lock)?|composer|tsconfig[^/]*|service|bower)\.json$/,
]
/** Names that lead nowhere, and addresses that are names of formats. */
const NOT_REACHED = [
  /(^|\.)(localhost|local|internal|invalid|test|example)$/,
  /(^|\.)example\.(com|org|net)$/,
  /^(127|0|10)\.\d+\.\d+\.\d+$/,
  /^(www\.w3\.org|schema\.org|json-schema\.org|purl\.org|xmlns\.com|ns\.adobe\.com|schemas\.[a-z.]+)$/,
]
/** The rest of such a line is a comment. */
const COMMENT_LINE = /^\s*(\/\/|\/?\*|#|<!--|--|;|""")/
const COMMENT_TAIL = /(\s\/\/\s|\s#\s|\/\*).*$/

/** Collects hosts that the sources mention and the service's `network` does not name. */
export function createHosts(network: readonly string[]) {
  const undeclared = new Map<string, string>()
  let skipped = ''
  const mention = (host: string, port: string, path: string) => {
    const target = `${host.toLowerCase()}:${port}`
    if (undeclared.size >= MAX_HOSTS || undeclared.has(target)) return
    if (NOT_REACHED.some((pattern) => pattern.test(host.toLowerCase())) || isDeclared(target, network)) return
    undeclared.set(target, path)
  }
  return {
    look(path: string, { text, first }: Piece): void {
      if (first) skipped = text.includes('\0') || NOT_CODE.some((pattern) => pattern.test(path)) ? path : ''
      if (skipped === path) return
      for (const line of text.split('\n')) {
        // longer lines are bundles, in which links of documentation and data lie side by side
        if (line.length > MAX_LINE || !/[:][/\d]/.test(line) || COMMENT_LINE.test(line)) continue
        const code = line.replace(COMMENT_TAIL, '')
        for (const [, scheme = '', host = '', port] of code.matchAll(URLS)) {
          mention(host, port ?? (PORTS[scheme.toLowerCase()] as string), path)
        }
        for (const [, host = '', port = ''] of code.matchAll(LITERALS)) mention(host, port, path)
      }
    },
    undeclared: (): string[] =>
      [...undeclared].map(([target, path]) => `${path} mentions ${target}, which the service does not declare`),
  }
}

/** `*.host:port` means every name below it. */
function isDeclared(target: string, network: readonly string[]): boolean {
  return network.some((entry) => entry === target || (entry.startsWith('*.') && target.endsWith(entry.slice(1))))
}
