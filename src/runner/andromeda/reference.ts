import { rules } from './rules.ts'

/** The chapter of the reference that is about the rules, made from the rules themselves. */
export function rulesReference(): string {
  const rows = rules.map(({ name, keys, doc }) => {
    const cells = [`\`${name}\``, keys.map((key) => `\`${key}\``).join(', '), doc.asks, doc.otherwise]
    return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  })
  return `## Rules of Andromeda

Every rule is asked about every service, in this order, and a service runs when all of them pass. \`explain\` and receipts
show each rule's answer and what would change it. \`MODES\` makes a rule warn instead: then it stops nothing, and its answer
says what it would have done.

| rule | keys | what it asks | what becomes of a service that does not pass |
|---|---|---|---|
${rows.join('\n')}

Afterwards two more answers follow. \`redirection\` (\`REDIRECT\`, \`REDIRECTION_DEPTH\`): whether the service is redirected.
\`dormitory\` (\`DORMITORY\`): a service that only has to wait is parked, and woken by what it waits for; one that a rule
refuses outright is not.

Every verdict has a \`rank\`, the order in which services get capacity: 100 x reward / price (\`PRICING\`, at most 10 times the
price), + 50 for each preferred symbiote and host chain that the service names (\`PREFER_SYMBIOTES\`, \`PREFER_HOSTCHAINS\`, at
most 4 of each), + 10 for each keyword that matches (\`KEYWORDS\`, at most 4).

Whatever the runner, \`evict\` of a verdict names only services that run here and are not in \`SERVICES\`; a verdict with any
other id is refused.
`
}
