import type { JSX } from 'preact'
import type { PolicyFacts, StatementView } from '../../../../../node/types.ts'
import { many } from '../../data/text.ts'
import { State } from '../../parts/bits.tsx'
import { SignerLink } from '../../parts/links.tsx'
import { Empty } from '../../parts/states.tsx'
import { Ago } from '../../parts/time.tsx'

type Props = { config: PolicyFacts['facts']['config']; statements: readonly StatementView[] }

/** Each trusted hub with its weight, what it said, and when it was last heard of. */
export function Hubs({ config: { TRUSTED_HUBS, QUORUM }, statements }: Props): JSX.Element {
  const hubs = Object.entries(TRUSTED_HUBS)
  if (hubs.length === 0) {
    return (
      <Empty title="No hub is trusted">
        TRUSTED_HUBS of the policy names hubs. Without one, only authors in the tree run.
      </Empty>
    )
  }
  const total = hubs.reduce((sum, [, { WEIGHT }]) => sum + WEIGHT, 0)
  return (
    <>
      <p>
        Code is safe here when {many(QUORUM.HUBS, 'hub')} of {hubs.length}
        {QUORUM.WEIGHT === 0 ? '' : `, with a weight of ${QUORUM.WEIGHT} of ${total},`} call it safe.
      </p>
      <ul class="rows live-value">
        {hubs.map(([address, { WEIGHT }]) => {
          const said = statements.filter(({ signer, kind }) => signer === address && kind === 'attestation')
          const unsafe = said.filter(({ verdict }) => verdict === 'unsafe').length
          const last = said.reduce((newest, { issued }) => Math.max(newest, issued), 0)
          return (
            <li key={address}>
              <SignerLink of={address} />
              <span class="soft small">weight {WEIGHT}</span>
              <span class="soft small">{said.length - unsafe} safe</span>
              {unsafe === 0 ? null : <State of="fail">{unsafe} unsafe</State>}
              <span class="soft small">
                {last === 0 ? (
                  'no attestation is kept here'
                ) : (
                  <>
                    last <Ago at={last} />
                  </>
                )}
              </span>
            </li>
          )
        })}
      </ul>
    </>
  )
}
