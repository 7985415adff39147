import { sanitizeText } from '../../base/format.ts'
import type { Reason } from '../../base/verdict.ts'
import type { ServiceView } from '../../node/types.ts'

/** What an operator would type to have a rule decide otherwise: lines for the runner's config.json, or commands. */
export type Advice = { readonly rule: string; readonly lines: readonly string[] }

type About = Pick<ServiceView, 'author' | 'code' | 'desc'>
/** What the rule said: its sentences, and the fields of the needs beside them. */
type Refusal = { readonly messages: readonly string[]; readonly fields: readonly string[] }
/** A command line with these words, for the folder or node that it is about. */
type Typed = (...words: string[]) => string
type AdviceOf = (service: About, refused: Refusal, typed: Typed) => readonly string[]

/** By the names of Andromeda's rules, and of the node's own; the operator's own runner must give advice itself. */
const ADVICE: Readonly<Record<string, AdviceOf>> = {
  'desc-length': ({ desc }) => [line('DESC_MAX_LEN', desc.length + 1)],
  keywords: () => ['"KEYWORDS": []   (or a list with one of the keywords of the service)'],
  toolchain: (_, { messages, fields }, typed) => {
    const doctor = `${typed('doctor')}   (says which executors are here)`
    if (!fields.includes('toolchain')) return [doctor]
    const missing = namesIn(/^(.+) (?:is|are) not in (?:one list of )?PREFER_TOOLCHAIN/, messages) ?? ['TOOLCHAIN']
    return [`${line('PREFER_TOOLCHAIN', { docker: missing, host: missing })}   (beside what is there)`, doctor]
  },
  storage: (_, { messages }) => {
    const hosts = namesIn(/^may not download from (.+): not in ALLOWED_STORAGE$/, messages) ?? ['HOST']
    return [`${line('ALLOWED_STORAGE', hosts)}   (beside what is there)`]
  },
  network: (_, { messages }) => {
    const asked = namesIn(/^asks for (.+?)(?:, and NETCAP grants no network$|: |, which NETCAP)/, messages)
    return [`${line('NETCAP', { MODE: 'allowlist', ALLOW: asked ?? ['HOST:PORT'] })}   (beside what is there)`]
  },
  price: () => ['"PRICING": {}   (or a lower price)'],
  limits: (_, { messages }) => {
    const asked = messages.flatMap((message) => {
      const found = /^asks for ([\d.]+) (\w+)(?: of \w+)?, LIMITS\.SERVICE\.(\w+) allows /.exec(message)
      const [, amount = '', unit = '', key = ''] = found ?? []
      return found === null ? [] : [[key, amountOf(amount, unit, key)] as const]
    })
    const noRuns = messages.some((message) => message.startsWith('LIMITS.TOTAL.RUNS is 0'))
    return [line('LIMITS', { ...(noRuns && { TOTAL: { RUNS: 8 } }), SERVICE: Object.fromEntries(asked) })]
  },
  capacity: (_, __, typed) => [
    `${typed('list')}, ${typed('stop', 'SERVICE')}   (frees the capacity of that service)`,
    `${typed('policy', 'show')}   (what LIMITS.TOTAL allows, and what of it is free)`,
  ],
  trust: ({ author, code }, { fields }, typed) =>
    fields.some((field) => field.startsWith('quorum.'))
      ? [
          `${typed('hub', 'attest', sanitizeText(code, 100), '--safe')}   (with the key of a hub in TRUSTED_HUBS)`,
          ...trustLines(author, typed),
        ]
      : trustLines(author, typed),
  drain: (_, __, typed) => [`${typed('undrain')}   (ends the drain: the node takes services again)`],
  pause: (_, __, typed) => [`${typed('resume')}   (ends the pause: the node begins runs again)`],
  block: ({ author, code }, { messages }, typed) => [
    `${typed('unblock', sanitizeText(messages.some((text) => text.endsWith('code')) ? code : author, 120))}   (block ls shows until when, and why)`,
  ],
  veto: ({ code }, _, typed) => [
    `${typed('trust', 'statements', '--code', sanitizeText(code, 100))}   (what hubs said, and which)`,
  ],
  freeze: ({ author }, { messages }, typed) =>
    messages.map((message) => {
      const [, chain = 'CHAIN', amount = 'AMOUNT'] = /^MIN_FREEZE on (\S+) is ([\d.]+), and/.exec(message) ?? []
      const words = [
        'hub',
        'freeze',
        sanitizeText(author, 120),
        '--chain',
        sanitizeText(chain, 100),
        '--amount',
        amount,
      ]
      return `${typed(...words)}   (with the key of a hub in TRUSTED_HUBS)`
    }),
}

/** For each rule that stopped a service, or would have. */
export function adviceOn(reasons: readonly Reason[], service: About, typed: Typed): Advice[] {
  const stopped = reasons.filter(({ outcome, warned }) => outcome !== 'pass' || warned !== undefined)
  return [...new Set(stopped.map(({ rule }) => rule))].flatMap((rule) => {
    const own = stopped.filter((reason) => reason.rule === rule)
    const fields = own.flatMap(({ needs }) => (needs === undefined ? [] : [needs.field]))
    const lines = ADVICE[rule]?.(service, { messages: own.map(({ message }) => message), fields }, typed)
    return lines === undefined ? [] : [{ rule, lines: [...new Set(lines)] }]
  })
}

/** The items of a list in one of our own sentences: "a, b and 3 more". */
function namesIn(sentence: RegExp, messages: readonly string[]): string[] | undefined {
  const words = messages.flatMap((message) => {
    const list = sentence.exec(message)?.[1]?.replace(/ and \d+ more$/, '')
    return list?.split(', ').map((word) => sanitizeText(word, 100)) ?? []
  })
  return words.length === 0 ? undefined : [...new Set(words)]
}

/** As config.json writes it: "1GiB", a number of cores, a number. */
function amountOf(amount: string, unit: string, key: string): string | number {
  if (key === 'CPU') return String(Number(amount) / 1000)
  // rounded for people: a little more than what was asked for
  return key === 'PIDS' ? Number(amount) : `${Math.ceil(Number(amount))}${unit}`
}

function trustLines(author: string, typed: Typed): string[] {
  const shown = sanitizeText(author, 120)
  return [typed('trust', 'delegate', shown, '--until', '90d'), line('TRUST_TREE', { ROOTS: { [shown]: { DEPTH: 0 } } })]
}

function line(key: string, value: unknown): string {
  return `${JSON.stringify(key)}: ${JSON.stringify(value)
    .replace(/([{,]|":)(?=["{[\d])/g, '$1 ')
    .replace(/}/g, ' }')}`
}
