import type { JSX } from 'preact'
import type { PolicyView } from '../../../../../node/types.ts'
import { pathTo } from '../../data/router.ts'
import { Card } from '../../parts/bits.tsx'
import { Empty } from '../../parts/states.tsx'

/** What each rule has said since the node started; the rules that stop the most come first. */
export function RuleCounts({ counts }: Pick<PolicyView, 'counts'>): JSX.Element {
  const rules = Object.entries(counts).sort(([, a], [, b]) => b.fail + b.defer - a.fail - a.defer)
  const warns = rules.some(([, { warned }]) => warned > 0)
  return (
    <Card title="Verdicts by rule" note={<a href={pathTo('policy')}>since the start</a>}>
      {rules.length === 0 ? (
        <Empty title="No rule has been asked yet">Rules are asked when a service is announced.</Empty>
      ) : (
        <table class="table live-value">
          <thead>
            <tr>
              <th scope="col">Rule</th>
              <th scope="col" class="end">
                Passed
              </th>
              <th scope="col" class="end">
                Failed
              </th>
              <th scope="col" class="end">
                Deferred
              </th>
              {warns ? (
                <th scope="col" class="end wide-only">
                  Warned
                </th>
              ) : null}
            </tr>
          </thead>
          <tbody>
            {rules.map(([rule, { pass, fail, defer, warned }]) => (
              <tr key={rule}>
                <th scope="row" class="mono">
                  {rule}
                </th>
                <Count value={pass} />
                <Count value={fail} tone="bad" />
                <Count value={defer} tone="wait" />
                {warns ? <Count value={warned} tone="wait" wide /> : null}
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </Card>
  )
}

function Count({ value, tone, wide = false }: { value: number; tone?: string; wide?: boolean }): JSX.Element {
  return (
    <td class={wide ? 'end number wide-only' : 'end number'} data-tone={value === 0 ? 'none' : tone}>
      {value.toLocaleString('en')}
    </td>
  )
}
