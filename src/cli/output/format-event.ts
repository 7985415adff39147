import { RUN_RULES } from '../../../protocols/receipt.ts'
import { howMany, joinWords, sanitizeText } from '../../base/format.ts'
import type { Reason } from '../../base/verdict.ts'
import type { NodeEvents } from '../../node/events.ts'
import { receiptText } from '../publishing/receipt-tracker.ts'
import { verdictText } from './format-verdict.ts'
import { type IdFormats, idFormats } from './text.ts'

/** Findings in one line; the whole list is in the event. */
const MAX_SHOWN = 4

type Formatters = { [Name in keyof NodeEvents]?: (detail: NodeEvents[Name]) => string | undefined }

/** An event as a sentence for the operator; undefined for events that only programs use. */
export function formatEvent<Name extends keyof NodeEvents & string>(
  name: Name,
  detail: NodeEvents[Name],
  terminal: boolean,
): string | undefined {
  const { id: shortId, address, peer } = idFormats(terminal)
  const named = (service: { id: string; name: string }) => `"${sanitizeText(service.name, 64)}" ${shortId(service.id)}`
  const formatters: Formatters = {
    'network:peer-connected': ({ peer: who, direction }) => `${direction} connection with ${peer(who)}`,
    'network:peer-disconnected': ({ peer: who }) => `${peer(who)} is disconnected`,
    'node:verdict': ({ verdict, failure, ...service }) =>
      `${named(service)}: ${failure === undefined ? verdictText(verdict) : `the runner failed: ${sanitizeText(failure, 300)}`}`,
    'node:state': ({ state, detail: more, ...service }) =>
      `${named(service)}: ${state}${more === undefined ? '' : ` (${sanitizeText(more, 300)})`}`,
    'node:receipt': ({ id, node, state, reasons }) =>
      `${shortId(id)}: node ${sanitizeText(node, 80)} ${receiptText(state, reasons.flatMap(runReason))}`,
    'node:tunnel-opened': ({ id, port, peer: who }) =>
      `${shortId(id)}: ${peer(who)} opened a tunnel to "${sanitizeText(port, 64)}"`,
    'node:tunnel-refused': ({ id, port, peer: who, reason }) =>
      `${shortId(id)}: ${peer(who)} got no tunnel to "${sanitizeText(port, 64)}": ${sanitizeText(reason, 300)}`,
    'node:woken': ({ to, ...service }) => (to === 'parked' ? undefined : `${named(service)} was woken: ${to}`),
    'node:evicted': ({ by, parked, ...service }) =>
      `${named(service)} is evicted for ${shortId(by)}${parked ? ', and is parked' : ''}`,
    'node:draining': ({ services }) =>
      `this node is drained: it takes no new service, and ${howMany(services, 'run ends', 'runs end')} once other nodes run it, or at the deadline; \`thundercloud undrain\` ends the drain`,
    'node:drained': ({ cut }) =>
      `nothing runs here any more, and this node is drained${cut.length === 0 ? '' : `; stopped at the deadline: ${cut.map(named).join(', ')}`}`,
    'node:undrained': () => 'this node takes services again',
    'node:paused': () => 'this node is paused: it begins no new run; `thundercloud resume` ends that',
    'node:resumed': () => 'this node begins runs again',
    'node:blocked': ({ kind, subject }) => `the ${kind} ${subject} is blocked`,
    'node:unblocked': ({ kind, subject, expired }) =>
      `the ${kind} ${subject} is not blocked any more${expired ? ': its time is over' : ''}`,
    'node:redecided': ({ services, changes }) =>
      changes.length === 0
        ? undefined
        : `decided again about ${howMany(services, 'service', 'services')}: ${changes.map(({ from, to, ...service }) => `${named(service)} ${from} -> ${to}`).join(', ')}`,
    'node:reconsidered': ({ services, changed, forgotten }) =>
      changed === 0
        ? undefined
        : `decided again about ${howMany(services, 'service that does not run', 'services that do not run')}: ${changed} changed${forgotten === 0 ? '' : `; ${forgotten} were forgotten before`}`,
    'trust:statement': (statement) => statementText(statement, { id: shortId, address, peer }),
    'trust:refused': ({ via, from, reason }) =>
      `a statement${from === undefined ? '' : ` of ${peer(from)}`} (${via}) was refused: ${sanitizeText(reason, 300)}`,
    'node:policy': ({ hash }) => `policy ${hash.slice(0, 12)} is in force`,
    'node:policy-refused': ({ reason }) =>
      `the policy on the disk was refused, and the one before stays in force: ${sanitizeText(reason, 300)}`,
    'alert:begun': ({ alert, summary }) => `alert ${alert}: ${sanitizeText(summary, 400)}`,
    'alert:cleared': ({ alert, subject }) =>
      `alert ${alert}: over${subject === '' ? '' : `, ${sanitizeText(subject, 80)}`}`,
    'alert:undelivered': ({ alert, reason, again }) =>
      `alert ${alert} was not delivered: ${sanitizeText(reason, 300)}${again ? '; it is tried again' : '; it is not tried again'}`,
    'alert:dropped': ({ alert }) => `alert ${alert} was dropped: too many notices wait`,
    'execution:executor': ({ executor, available, detail: more }) =>
      `${executor} is ${available ? 'available' : 'not available'}: ${sanitizeText(more, 300)}`,
    'code:fetch-finished': ({ code, from, source }) =>
      source === undefined ? undefined : `code ${shortId(code)} came from ${from}: ${sanitizeText(source, 300)}`,
    'code:source-failed': ({ code, problem, next }) =>
      `code ${shortId(code)}: ${sanitizeText(problem, 400)}${next === undefined ? '' : `; next: ${sanitizeText(next, 300)}`}`,
    'hub:examining': ({ code, name: of }) => `"${of}" is examined: code ${shortId(code)}`,
    'hub:examined': ({ code, verdict, severity, findings, name: of }) =>
      `"${of}": code ${shortId(code)} is ${verdict}${severity === undefined ? '' : ` (${severity})`}${findingsText(findings)}`,
    'hub:failed': ({ code, reason, failures, again, name: of }) =>
      `"${of}": no attestation of code ${shortId(code)}: ${reason} (failure ${failures}; ${again ? 'tried again later' : 'not tried again for a day'})`,
    'hub:passed-over': ({ code, why, name: of }) => `"${of}": no attestation of code ${shortId(code)}: ${why}`,
    'runner:loaded': ({ entry }) => `the runner ${sanitizeText(entry, 300)} decides from now on`,
    'runner:load-failed': ({ message, keepsOld }) =>
      `${sanitizeText(message, 400)}; ${keepsOld ? 'the previous runner stays in force' : 'there is no runner, so nothing is run or redirected'}`,
    'runner:died': ({ message }) => `the runner ended: ${sanitizeText(message, 300)}`,
  }
  return formatters[name]?.(detail)
}

function findingsText(findings: readonly string[]): string {
  return findings.length === 0 ? '' : `: ${joinWords(findings.slice(0, MAX_SHOWN))}`
}

/** What a trusted hub or issuer has newly said. */
function statementText(
  { kind, signer, about, says, via }: NodeEvents['trust:statement'],
  { id, address }: IdFormats,
): string {
  const who = address(signer)
  const word = sanitizeText(says, 200)
  switch (kind) {
    case 'attestation':
      return `hub ${who} calls code ${id(about)} ${word} (${via})`
    case 'freeze':
      return `hub ${who} says that ${address(about)} has frozen ${word} (${via})`
    case 'delegation':
      return says === 'revoked'
        ? `${who} no longer vouches for ${address(about)} (${via})`
        : `${who} vouches for ${address(about)}, ${word} (${via})`
  }
}

/** A sentence of a receipt about a run begins with what it is about (section 16 of the specification). */
function runReason(message: string): Pick<Reason, 'rule'>[] {
  if (/^(exit code|restart) \d/.test(message)) return [{ rule: RUN_RULES.exit }]
  return /^it runs, and is healthy/.test(message) ? [{ rule: RUN_RULES.health }] : []
}
