/** What `runner new` writes: a runner that begins from Andromeda and adds one rule, and a test that passes at once. */
export function runnerText(language: 'js' | 'ts'): string {
  const typed = language === 'ts'
  const types = typed ? "import type { Reason, Runner } from 'thundercloud/runner-kit'\n" : ''
  const opening = typed
    ? 'const decide: Runner = (service, node) => {'
    : `/**
 * @param {import('thundercloud/runner-kit').ReceivedService} service
 * @param {import('thundercloud/runner-kit').RunnerContext} node
 * @returns {import('thundercloud/runner-kit').Verdict}
 */
export default function decide(service, node) {`
  const closing = typed ? '}\n\nexport default decide\n' : '}\n'
  const settings = typed
    ? 'const refused = node.config.CUSTOM.REFUSED_KEYWORDS as string[] | undefined'
    : 'const refused = node.config.CUSTOM.REFUSED_KEYWORDS'
  const reason = typed
    ? 'const reason: Reason = {'
    : "/** @type {import('thundercloud/runner-kit').Reason} */\n  const reason = {"
  return `/**
 * This runner decides about every service that the node hears of. It is asked once for each, has two seconds, and runs
 * in a process of its own: no files but this folder, no network ("RUNNER_NETWORK": true in services.json allows it), no
 * other programs. When it throws, hangs or dies, nothing is run and nothing redirected. Saving it puts it in force.
 *
 * service   what its author wrote and signed: name, title, desc, keywords, toolchain, run, resources, network, reward...
 *           Text in it comes from strangers.
 * node      what this node knows: config (this folder's config.json; your own settings are under CUSTOM), capacity,
 *           running, attestations, quorum, inTree, frozen, depth, now (seconds, UTC), log, signal. What is not known is
 *           null or empty, and a good runner then says no.
 *
 * It returns a verdict:
 *   run       false, or a grant: executor, memoryBytes, cpuMillicores, diskBytes, pids, timeoutSeconds?, network.
 *             No more than LIMITS allows and than is free, or the whole verdict is refused
 *   redirect  shall other nodes hear of it from this one
 *   park      what would wake it, with run: false: [{ on: 'capacity' }], [{ on: 'quorum', code: service.code }],
 *             [{ on: 'delegation', author: service.author }], ...
 *   reasons   why, rule by rule: \`thundercloud explain\` and the publisher's receipt show them. \`needs\` says what would
 *             have changed it
 */
import { andromeda } from 'thundercloud/andromeda'
${types}
${opening}
  // The default runner's verdict: every key of config.json has its say. Leave it out to begin from nothing.
  const verdict = andromeda(service, node)

  // A rule of your own. It only takes away: what Andromeda refuses stays refused.
  ${settings}
  const words = new Set((refused ?? []).map((word) => word.toLowerCase()))
  const found = service.keywords.map((word) => word.toLowerCase()).find((word) => words.has(word))
  if (found === undefined) return verdict
  node.log.info('refused for a keyword', { service: service.id, keyword: found })
  ${reason}
    rule: 'refused-keywords',
    outcome: 'fail',
    message: \`services with the keyword "\${found}" do not run here\`,
    needs: { field: 'keywords', must: 'be', value: \`without \${found}\` },
  }
  // What Andromeda would have run is redirected instead, as REDIRECT says of what does not run here.
  const redirect = verdict.redirect || (verdict.run !== false && node.config.REDIRECT !== 'never')
  return { run: false, redirect, reasons: [reason, ...verdict.reasons] }
${closing}`
}

export function testText(language: 'js' | 'ts'): string {
  return `/** Run with: node --test runner.test.${language} (Node.js 24 or newer) */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { assertRunner, exampleService, openRunner } from 'thundercloud/runner-kit'

const file = new URL('./runner.${language}', import.meta.url)
// In a process of its own, with the config.json beside it, as a node has it.
const runner = await openRunner(file)
after(() => runner.close())

test('keeps the contract of runners', async (t) => {
  const report = await assertRunner(file, { deterministic: true })
  t.diagnostic(report.text)
})

test('refuses what has a refused keyword, and says so', async () => {
  const [word] = ${language === 'ts' ? '(runner.config.CUSTOM.REFUSED_KEYWORDS as string[])' : 'runner.config.CUSTOM.REFUSED_KEYWORDS'}
  assert.ok(word, 'config.json refuses at least one keyword')
  // What is not named here is a small web service that the node itself wrote.
  const verdict = await runner.decide(exampleService({ keywords: [word.toUpperCase()] }))
  assert.equal(verdict.run, false)
  assert.equal(verdict.reasons[0]?.rule, 'refused-keywords')
})

test('leaves everything else to Andromeda', async () => {
  // Settings for this question alone; without \`config\` they are those of config.json.
  const config = {
    PREFER_TOOLCHAIN: { docker: ['node.js'] },
    LIMITS: { TOTAL: { MEMORY: '1GiB', CPU: '1', DISK: '1GiB', PIDS: 64, RUNS: 1 } },
  }
  const verdict = await runner.decide({ keywords: ['web'] }, { config })
  assert.notEqual(verdict.run, false)
  const full = await runner.decide({ keywords: ['web'] }, { config, capacity: { runs: 0 } })
  assert.equal(full.run, false)
})
`
}

export function packageText(name: string, language: 'js' | 'ts'): string {
  const content = {
    name: `runner-${name}`,
    private: true,
    type: 'module',
    scripts: { test: `node --test runner.test.${language}` },
  }
  return json(content)
}

/** For editors and `tsc -p .`: what Node runs by stripping types. */
export function tsconfigText(): string {
  return json({
    compilerOptions: {
      target: 'esnext',
      module: 'nodenext',
      strict: true,
      noEmit: true,
      allowImportingTsExtensions: true,
      erasableSyntaxOnly: true,
      verbatimModuleSyntax: true,
      skipLibCheck: true,
    },
  })
}

export function json(content: object): string {
  return `${JSON.stringify(content, null, 2)}\n`
}
