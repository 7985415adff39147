import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import type { Reason, Verdict } from '../../../../../base/verdict.ts'
import type { Explanation, ServiceView } from '../../../../../node/types.ts'
import { needText, wakeText } from '../../data/needs.ts'
import { ask } from '../../data/request.ts'
import { type Resource, useAction } from '../../data/resource.ts'
import { pathTo } from '../../data/router.ts'
import { bytesText, coresText, visible } from '../../data/text.ts'
import { Card, State } from '../../parts/bits.tsx'
import { ProblemBox, Show } from '../../parts/states.tsx'
import { Ago } from '../../parts/time.tsx'

type Props = { service: ServiceView; why: Resource<Explanation> }

/** What this node decided, rule by rule, and what would change it. */
export function VerdictCard({ service, why }: Props): JSX.Element {
  const [fresh, setFresh] = useState<Explanation | undefined>()
  const action = useAction()
  const again = () =>
    action.run(async () => setFresh(await ask(`/service/${encodeURIComponent(service.id)}/explain?now=true`)))
  return (
    <Card title="Verdict" note={why.value === undefined ? undefined : <Ago at={why.value.at} />}>
      <Show of={why}>
        {(value) => (
          <>
            <Summary explanation={value} />
            <Parked parked={service.parked} />
            {service.placement === undefined ? null : <p class="soft">{visible(service.placement, 400)}</p>}
            <Rules reasons={value.verdict.reasons} />
            <History history={value.history ?? []} />
          </>
        )}
      </Show>
      <div class="buttons">
        <button type="button" class="button" onClick={again} disabled={action.busy}>
          Decide now, without doing it
        </button>
        <a href={pathTo('policy')}>Change the policy</a>
      </div>
      {action.problem === undefined ? null : <ProblemBox problem={action.problem} />}
      {fresh === undefined ? null : (
        <section class="inset" aria-label="What would be decided now">
          <h3>What would be decided now</h3>
          <Summary explanation={fresh} />
          <Rules reasons={fresh.verdict.reasons} />
        </section>
      )}
    </Card>
  )
}

function Summary({ explanation: { verdict, redirected, failure } }: { explanation: Explanation }): JSX.Element {
  if (failure !== undefined) {
    return (
      <div class="notice" data-tone="bad">
        <p>The runner failed instead of deciding: {visible(failure, 400)}</p>
      </div>
    )
  }
  return (
    <p class="summary">
      <State of={verdict.run !== false ? 'pass' : verdict.park === undefined ? 'fail' : 'defer'}>
        {verdict.run !== false ? 'accepted' : verdict.park === undefined ? 'refused' : 'parked'}
      </State>{' '}
      {verdict.run === false ? null : <GrantText grant={verdict.run} />}
      {redirected ? ' It is redirected to the neighbours.' : ' It is not redirected.'}
    </p>
  )
}

function GrantText({ grant }: { grant: Exclude<Verdict['run'], false> }): JSX.Element {
  const network = { none: 'no network', allowlist: 'some hosts of the network', open: 'the network' }[
    grant.network.mode
  ]
  return (
    <span>
      It may have {bytesText(grant.memoryBytes)} of memory, {coresText(grant.cpuMillicores)},{' '}
      {bytesText(grant.diskBytes)} of disk, {grant.pids} processes and {network}, by the executor {grant.executor}.
    </span>
  )
}

function Parked({ parked }: { parked: ServiceView['parked'] }): JSX.Element | null {
  if (parked === undefined) return null
  return (
    <p>
      It waits in the dormitory, until <Ago at={parked.until} />
      {parked.drained === true ? ', and begins after the drain' : ''}
      {parked.paused === true ? ', and begins when the node is resumed' : ''}. It wakes when{' '}
      {parked.on.map(wakeText).join(', or when ')}.
    </p>
  )
}

/** The rules that stop it come first: they are why. */
function Rules({ reasons }: { reasons: readonly Reason[] }): JSX.Element | null {
  const order = { fail: 0, defer: 1, pass: 2 }
  const sorted = [...reasons].sort((a, b) => order[a.outcome] - order[b.outcome])
  if (sorted.length === 0) return null
  return (
    <table class="table rules live-value">
      <thead>
        <tr>
          <th scope="col">Rule</th>
          <th scope="col">Outcome</th>
          <th scope="col">Why, and what would change it</th>
        </tr>
      </thead>
      <tbody>
        {sorted.map((reason) => (
          <tr key={`${reason.rule} ${reason.message}`}>
            <th scope="row" class="mono">
              {visible(reason.rule, 40)}
            </th>
            <td>
              <State of={reason.warned === undefined ? reason.outcome : 'defer'}>
                {reason.warned === undefined ? reason.outcome : `pass, warns of ${reason.warned}`}
              </State>
            </td>
            <td>
              {visible(reason.message, 400)}
              <Need reason={reason} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}

function Need({ reason }: { reason: Reason }): JSX.Element | null {
  const text = reason.outcome === 'pass' ? undefined : needText(reason)
  return text === undefined ? null : <div class="need">To pass: {text}.</div>
}

function History({ history }: { history: NonNullable<Explanation['history']> }): JSX.Element | null {
  if (history.length < 2) return null
  return (
    <details>
      <summary>Earlier verdicts ({history.length - 1})</summary>
      <ol class="rows">
        {history.slice(1).map(({ at, policy, verdict, failure }) => (
          <li key={`${at} ${policy}`}>
            <Ago at={at} />
            <span>
              {failure === undefined
                ? verdict?.run === false
                  ? verdict.park === undefined
                    ? 'refused'
                    : 'parked'
                  : 'accepted'
                : `the runner failed: ${visible(failure)}`}
            </span>
            <span class="soft small mono">policy {policy.slice(0, 12)}</span>
          </li>
        ))}
      </ol>
    </details>
  )
}
