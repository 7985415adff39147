import { printable } from '../../base/text.ts'
import type { Reason } from '../../base/verdict.ts'
import type { ServiceView } from '../../node/contract.ts'

/** What an operator would type to have a rule decide otherwise: lines for the runner's config.json, or commands. */
export type Advice = { readonly rule: string; readonly lines: readonly string[] }

type About = Pick<ServiceView, 'author' | 'code' | 'desc'>
type Writer = (service: About, needs: NonNullable<Reason['needs']> | undefined) => readonly string[]

/** By the names of Andromeda's rules; a runner of the operator's own says it itself, or nobody can. */
const WRITERS: Readonly<Record<string, Writer>> = {
  'desc-length': ({ desc }) => [line('DESC_MAX_LEN', desc.length + 1)],
  keywords: () => ['"KEYWORDS": []   (or a list with one of the keywords of the service)'],
  toolchain: (_, needs) => [
    ...(needs?.field === 'toolchain'
      ? ['"PREFER_TOOLCHAIN": { "docker": ["TOOLCHAIN"], "host": ["TOOLCHAIN"] }   (with the toolchain of the service)']
      : []),
    'thundercloud doctor   (says which executors are here)',
  ],
  storage: () => ['"ALLOWED_STORAGE": ["HOST"]   (with the host that the code comes from)'],
  network: () => ['"NETCAP": { ... }   (thundercloud help policy show; configs/reference.md has the key)'],
  price: () => ['"PRICING": {}   (or a lower price)'],
  limits: (_, needs) => [
    `"LIMITS": { ... }${needs === undefined ? '' : `   (${printable(needs.field, 64)} is at most ${printable(needs.value, 64)} here)`}`,
  ],
  capacity: () => [
    'thundercloud list, thundercloud stop SERVICE   (ends what takes the room)',
    '"LIMITS": { "TOTAL": { ... } }   (gives away more)',
  ],
  trust: ({ author, code }, needs) =>
    needs?.field.startsWith('quorum.') === true
      ? [
          `thundercloud hub attest ${printable(code, 100)} --safe   (with the key of a hub in TRUSTED_HUBS)`,
          ...trusting(author),
        ]
      : trusting(author),
  veto: ({ code }) => [`thundercloud trust statements --code ${printable(code, 100)}   (what hubs said, and which)`],
  freeze: () => ['"PREFER_SYMBIOTES": { ... } or "PREFER_HOSTCHAINS": { ... }   (with a lower MIN_FREEZE)'],
}

/** For each rule that stopped a service, or would have. */
export function adviceOn(reasons: readonly Reason[], service: About): Advice[] {
  const seen = new Map<string, readonly string[]>()
  for (const { rule, outcome, warned, needs } of reasons) {
    if (outcome === 'pass' && warned === undefined) continue
    const lines = WRITERS[rule]?.(service, needs)
    if (lines !== undefined) seen.set(rule, [...new Set([...(seen.get(rule) ?? []), ...lines])])
  }
  return [...seen].map(([rule, lines]) => ({ rule, lines }))
}

function trusting(author: string): string[] {
  const shown = printable(author, 120)
  return [`thundercloud trust delegate ${shown} --until 90d`, line('TRUST_TREE', { ROOTS: { [shown]: { DEPTH: 0 } } })]
}

function line(key: string, value: unknown): string {
  return `${JSON.stringify(key)}: ${JSON.stringify(value)
    .replace(/([{,:])(?=["{\d])/g, '$1 ')
    .replace(/}/g, ' }')}`
}
