import type { JSX } from 'preact'
import type { ServiceView } from '../../../../../node/types.ts'
import { pathTo } from '../../data/router.ts'
import { visible } from '../../data/text.ts'
import { Card, State } from '../../parts/bits.tsx'
import { PeerLink } from '../../parts/links.tsx'
import { Ago } from '../../parts/time.tsx'

/** Long lists have a page of their own. */
const MAX_SHOWN = 6

/** What other nodes say that they do with it. */
export function Receipts({ service: { id, receipts } }: { service: ServiceView }): JSX.Element {
  return (
    <Card title="At other nodes" note={<a href={pathTo('why', id)}>why it runs, or does not</a>}>
      {receipts.length === 0 ? (
        <p class="soft">
          No receipt of another node is here. They go to the publisher; ask the other nodes on the page above.
        </p>
      ) : (
        <ul class="rows live-value">
          {receipts.slice(0, MAX_SHOWN).map(({ node, peerId, state, at, reasons }) => (
            <li key={node}>
              <PeerLink of={peerId} node={node} />
              <State of={state} />
              <span class="soft small">
                <Ago at={at} />
              </span>
              {reasons.find(({ outcome }) => outcome !== 'pass') === undefined ? null : (
                <span class="soft small">
                  {visible(reasons.find(({ outcome }) => outcome !== 'pass')?.message ?? '', 200)}
                </span>
              )}
            </li>
          ))}
        </ul>
      )}
    </Card>
  )
}
