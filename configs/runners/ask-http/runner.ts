/**
 * Asks an HTTP service about everything that Andromeda would run. Needs "RUNNER_NETWORK": true in services.json.
 *
 * CUSTOM in config.json:
 *   URL         where to ask. It gets a POST with { service, code, author, name } as JSON, and answers 200 with
 *               { "run": true } or { "run": false, "why": "..." }
 *   TIMEOUT_MS  milliseconds until an answer counts as no; default 1000. The node itself gives a runner 2000
 *
 * It fails closed: an error, a late answer, one that is too large or no JSON, all mean no. Nothing is remembered, so the
 * next announcement is asked about again.
 */
import { andromeda } from 'thundercloud/andromeda'
import type { ReceivedService, RunnerContext, Verdict } from 'thundercloud/runner-kit'
import { ask } from './ask.ts'
import { readSettings } from './settings.ts'

declare const RUNNER_CONFIGS: RunnerContext['config']

// What is wrong in CUSTOM is said once, when the runner is loaded, and not at every service.
readSettings(RUNNER_CONFIGS.CUSTOM)

export default async function decide(service: ReceivedService, node: RunnerContext): Promise<Verdict> {
  const verdict = andromeda(service, node)
  // What does not run anyway needs no question, and tells nobody what this node hears of.
  if (verdict.run === false) return verdict

  const { url, timeoutMs } = readSettings(node.config.CUSTOM)
  const { id, code, author, name } = service
  const answer = await ask(url, { service: id, code, author, name }, timeoutMs, node.signal)
  if (answer.yes) {
    const reason = { rule: 'ask-http', outcome: 'pass', message: `${url.host} says yes` } as const
    return { ...verdict, reasons: [reason, ...verdict.reasons] }
  }
  if (answer.broken) node.log.warn('no usable answer', { why: answer.why, service: id })
  const reason = {
    rule: 'ask-http',
    outcome: 'fail',
    message: `${url.host} does not say yes: ${answer.why}`,
    needs: { field: 'ask-http', must: 'be', value: `yes of ${url.host}` },
  } as const
  return { run: false, redirect: node.config.REDIRECT !== 'never', reasons: [reason, ...verdict.reasons] }
}
