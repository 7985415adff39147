import { describe, expect, it } from 'vitest'
import { veto } from '../../../../src/runner/andromeda/rules/veto.ts'
import type { HubStatement } from '../../../../src/runner/contract.ts'
import { verdictOf } from '../../../fixtures/runner/runners.ts'
import { HUB, HUBS, OTHER, said } from './hubs.ts'
import { type Given, passes, rowsOf, table } from './table.ts'

const settings = { TRUSTED_HUBS: HUBS }
const known = rowsOf((attestations: HubStatement[], more: Given = {}) => ({
  settings,
  node: { attestations },
  ...more,
}))
const unsafe = (more: object) => said(HUB, 'unsafe', -60, 3600, more)

table(veto, [
  known.passes('nothing is known', []),
  known.passes('safe', [said(HUB, 'safe')]),
  known.fails('unsafe, though the author is the own address', [said(OTHER, 'safe'), said(HUB, 'unsafe')], {
    message: `the trusted hub ${HUB} calls the code unsafe`,
    needs: ['attestations', 'be', `safe by ${HUB}`],
    reasons: 1,
  }),
  known.fails('both', [said(OTHER, 'unsafe'), said(HUB, 'unsafe')], { reasons: 2 }),
  known.fails(
    'how bad it is, and why',
    [unsafe({ severity: 'high', report: 'https://hub.example/reports/7?lang=en' })],
    {
      message: `the trusted hub ${HUB} calls the code unsafe (severity high): https://hub.example/reports/7?lang=en`,
    },
  ),
  known.fails(
    'a report that is long and moves the cursor',
    [unsafe({ report: `https://hub.example/\u001b[2J\u202e${'é'.repeat(500)}` })],
    { message: /^the trusted hub \S+ calls the code unsafe: https:\/\/hub\.example\/\ufffd\[2J\ufffdé{80,90}\.\.\.$/ },
  ),
  known.fails('little, and still no', [unsafe({ severity: 'low' }), said(OTHER, 'safe')], {
    message: `the trusted hub ${HUB} calls the code unsafe (severity low)`,
  }),
  passes('a hub that is not trusted', { node: { attestations: [said(HUB, 'unsafe')] } }),
  known.passes('expired', [said(HUB, 'unsafe', -200, -1)]),
  known.passes('of the far future', [said(HUB, 'unsafe', 500)]),
  known.passes('taken back later', [said(HUB, 'safe', -10), said(HUB, 'unsafe', -20)]),
  known.fails('called unsafe later', [said(HUB, 'safe', -20), said(HUB, 'unsafe', -10)]),
  known.fails('both at once', [said(HUB, 'unsafe', -10), said(HUB, 'safe', -10)]),
])

describe('what a trusted hub calls unsafe', () => {
  it.each([{}, { keywords: [] }])('is dropped whatever else is wrong with it, and never parked: %j', (service) => {
    const verdict = verdictOf({ ...settings, REDIRECT: 'always' }, service, { attestations: [said(HUB, 'unsafe')] })
    expect(verdict).toMatchObject({ run: false, redirect: false })
    expect(verdict.park).toBeUndefined()
    expect(verdict.reasons.at(-1)?.message).toBe('not redirected: what fails veto is dropped')
  })
})
