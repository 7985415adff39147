import type { JSX } from 'preact'
import type { StatementView } from '../../../../../node/types.ts'
import { visible } from '../../data/text.ts'
import { State } from '../../parts/bits.tsx'
import { AuthorLink, CodeLink, SignerLink } from '../../parts/links.tsx'
import { Empty } from '../../parts/states.tsx'
import { Ago } from '../../parts/time.tsx'

const MAX_SHOWN = 50

export function Statements({ statements }: { statements: readonly StatementView[] }): JSX.Element {
  if (statements.length === 0) {
    return (
      <Empty title="No statement is kept here">
        Hubs sign what they find in code; roots, and those for whom they vouch, sign whom they vouch for.
      </Empty>
    )
  }
  return (
    <>
      <table class="table live-value">
        <thead>
          <tr>
            <th scope="col">Signer</th>
            <th scope="col">Says</th>
            <th scope="col" class="end wide-only">
              Issued
            </th>
            <th scope="col" class="end">
              Ends
            </th>
          </tr>
        </thead>
        <tbody>
          {statements.slice(0, MAX_SHOWN).map((statement) => (
            <tr key={statement.id}>
              <td>
                <SignerLink of={statement.signer} /> {statement.own ? <span class="soft small">this node</span> : null}
                {statement.trusted ? null : <State of="defer">not trusted</State>}
              </td>
              <td>
                <Says statement={statement} />
              </td>
              <td class="end soft wide-only">
                <Ago at={statement.issued} />
              </td>
              <td class="end soft">
                <Ago at={statement.expires} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {statements.length > MAX_SHOWN ? (
        <p class="soft small">
          The newest {MAX_SHOWN} of {statements.length}. <code>thundercloud trust statements</code> lists all.
        </p>
      ) : null}
    </>
  )
}

function Says({ statement }: { statement: StatementView }): JSX.Element {
  const { kind, code = '', verdict, severity, address = '', chain, amount, subject = '', depth, revoked } = statement
  switch (kind) {
    case 'attestation':
      return (
        <>
          <CodeLink of={code} /> is <State of={verdict === 'safe' ? 'pass' : 'fail'}>{verdict ?? 'unknown'}</State>
          {severity === undefined ? '' : ` (${visible(severity, 20)})`}
        </>
      )
    case 'freeze':
      return (
        <>
          <AuthorLink of={address} /> has frozen {visible(amount ?? '', 40)} on {visible(chain ?? '', 40)}
        </>
      )
    case 'delegation':
      return (
        <>
          {revoked === true ? 'no longer vouches for ' : 'vouches for '}
          <SignerLink of={subject || address} />
          {revoked === true || depth === undefined ? '' : `, ${depth} deep`}
        </>
      )
  }
}
