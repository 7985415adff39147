import { describe, expect, it } from 'vitest'
import { andromeda } from '../../../../src/runner/andromeda/index.ts'
import { veto } from '../../../../src/runner/andromeda/rules/veto.ts'
import { configOf, serviceOf, snapshotOf } from '../support.ts'
import { HUB, HUBS, OTHER, said } from './hubs.ts'
import { table } from './table.ts'

const settings = { TRUSTED_HUBS: HUBS }

table(veto, [
  { says: 'nothing is known', outcome: 'pass', settings },
  { says: 'safe', outcome: 'pass', settings, node: { attestations: [said(HUB, 'safe')] } },
  {
    says: 'unsafe, though the author is the own address',
    outcome: 'fail',
    settings,
    node: { attestations: [said(OTHER, 'safe'), said(HUB, 'unsafe')] },
    message: `the trusted hub ${HUB} calls the code unsafe`,
    needs: { field: 'attestations', must: 'be', value: `safe by ${HUB}` },
    reasons: 1,
  },
  {
    says: 'both',
    outcome: 'fail',
    settings,
    node: { attestations: [said(OTHER, 'unsafe'), said(HUB, 'unsafe')] },
    reasons: 2,
  },
  {
    says: 'how bad it is, and why',
    outcome: 'fail',
    settings,
    node: {
      attestations: [
        said(HUB, 'unsafe', -60, 3600, { severity: 'high', report: 'https://hub.example/reports/7?lang=en' }),
      ],
    },
    message: `the trusted hub ${HUB} calls the code unsafe (severity high): https://hub.example/reports/7?lang=en`,
  },
  {
    says: 'a report that is long and moves the cursor',
    outcome: 'fail',
    settings,
    node: {
      attestations: [
        said(HUB, 'unsafe', -60, 3600, { report: `https://hub.example/\u001b[2J\u202e${'é'.repeat(500)}` }),
      ],
    },
    message: /^the trusted hub \S+ calls the code unsafe: https:\/\/hub\.example\/\ufffd\[2J\ufffdé{80,90}\.\.\.$/,
  },
  {
    says: 'little, and still no',
    outcome: 'fail',
    settings,
    node: { attestations: [said(HUB, 'unsafe', -60, 3600, { severity: 'low' }), said(OTHER, 'safe')] },
    message: `the trusted hub ${HUB} calls the code unsafe (severity low)`,
  },
  { says: 'a hub that is not trusted', outcome: 'pass', node: { attestations: [said(HUB, 'unsafe')] } },
  { says: 'expired', outcome: 'pass', settings, node: { attestations: [said(HUB, 'unsafe', -200, -1)] } },
  { says: 'of the far future', outcome: 'pass', settings, node: { attestations: [said(HUB, 'unsafe', 500)] } },
  {
    says: 'taken back later',
    outcome: 'pass',
    settings,
    node: { attestations: [said(HUB, 'safe', -10), said(HUB, 'unsafe', -20)] },
  },
  {
    says: 'called unsafe later',
    outcome: 'fail',
    settings,
    node: { attestations: [said(HUB, 'safe', -20), said(HUB, 'unsafe', -10)] },
  },
  {
    says: 'both at once',
    outcome: 'fail',
    settings,
    node: { attestations: [said(HUB, 'unsafe', -10), said(HUB, 'safe', -10)] },
  },
])

describe('what a trusted hub calls unsafe', () => {
  it('is dropped whatever else is wrong with it, and never parked', () => {
    const config = configOf({ ...settings, REDIRECT: 'always' })
    const attestations = [said(HUB, 'unsafe')]
    for (const service of [serviceOf(), serviceOf({ keywords: [] })]) {
      const verdict = andromeda(service, snapshotOf(config, { attestations }))
      expect(verdict).toMatchObject({ run: false, redirect: false })
      expect(verdict.park).toBeUndefined()
      expect(verdict.reasons.at(-1)?.message).toBe('not redirected: what fails veto is dropped')
    }
  })
})
