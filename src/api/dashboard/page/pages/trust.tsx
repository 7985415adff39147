import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import type { PolicyFacts, StatementView, TrustTree } from '../../../../node/types.ts'
import type { LiveEvent } from '../data/live.ts'
import { ask } from '../data/request.ts'
import { useAction, useResource } from '../data/resource.ts'
import { pathTo, place } from '../data/router.ts'
import { many, shortId } from '../data/text.ts'
import { Card, State } from '../parts/bits.tsx'
import { AuthorLink } from '../parts/links.tsx'
import { ProblemBox, Show } from '../parts/states.tsx'
import { Hubs } from './trust/hubs.tsx'
import { Statements } from './trust/statements.tsx'
import { TreePicture } from './trust/tree-picture.tsx'

const concerns = ({ name }: LiveEvent) => name.startsWith('trust:') || name === 'node:policy'

/** Whom the operator trusts, and what they have signed. */
export function Trust(): JSX.Element {
  const tree = useResource<TrustTree>('/trust', concerns)
  const signer = place.value.query.get('address') ?? undefined
  const wanted = signer === undefined ? '/statements' : `/statements?signer=${encodeURIComponent(signer)}`
  const statements = useResource<{ statements: StatementView[] }>(wanted, concerns)
  const policy = useResource<PolicyFacts>('/policy', concerns)
  return (
    <>
      <div class="page-head">
        <div>
          <h1>Trust</h1>
          <p class="soft">A service runs if its author is in the tree, or if enough trusted hubs call its code safe.</p>
        </div>
        <a class="button" href={pathTo('policy')}>
          Change the policy
        </a>
      </div>
      <Card title="Trust tree" note="authors for whom the roots vouch">
        <Show of={tree}>{(value) => <TreePicture tree={value} />}</Show>
        <Lookup key={signer} start={signer} />
      </Card>
      <div class="columns">
        <Card
          title="Statements"
          note={statements.value === undefined ? undefined : many(statements.value.statements.length, 'statement')}
        >
          {signer === undefined ? null : (
            <p>
              Those of <AuthorLink of={signer} /> only. <a href={pathTo('trust')}>Show all</a>
            </p>
          )}
          <Show of={statements}>{(value) => <Statements statements={value.statements} />}</Show>
        </Card>
        <Card title="Hubs" note="security centres that are believed">
          <Show of={policy}>
            {({ facts }) => <Hubs config={facts.config} statements={statements.value?.statements ?? []} />}
          </Show>
        </Card>
      </div>
    </>
  )
}

function Lookup({ start = '' }: { start?: string | undefined }): JSX.Element {
  const [address, setAddress] = useState(start)
  const [answer, setAnswer] = useState<NonNullable<TrustTree['asked']> | undefined>()
  const action = useAction()
  const look = (event?: Event) => {
    event?.preventDefault()
    setAnswer(undefined)
    action.run(async () => {
      const { asked } = await ask<TrustTree>(`/trust?address=${encodeURIComponent(address.trim())}`)
      setAnswer(asked)
    })
  }
  useEffect(() => {
    if (start !== '') look()
  }, [])
  return (
    <form class="inset" onSubmit={look}>
      <div class="one-line">
        <label class="field">
          <span>Is an author in the tree?</span>
          <input
            type="text"
            value={address}
            placeholder="Address of the author"
            spellcheck={false}
            onInput={({ currentTarget }) => setAddress(currentTarget.value)}
          />
        </label>
        <button type="submit" class="button" disabled={action.busy || address.trim() === ''}>
          Look
        </button>
      </div>
      {action.problem === undefined ? null : <ProblemBox problem={action.problem} />}
      {answer === undefined ? null : (
        <p role="status">
          <State of={answer.in ? 'pass' : 'fail'}>{answer.in ? 'in' : 'out'}</State> {answer.why}
          {answer.path.length < 2 ? null : (
            <span class="soft mono small"> {answer.path.map((each) => shortId(each)).join(' → ')}</span>
          )}
        </p>
      )}
    </form>
  )
}
