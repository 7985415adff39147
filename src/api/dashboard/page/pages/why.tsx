import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import type { ReceiptView, ServiceView } from '../../../../node/types.ts'
import { needText } from '../data/needs.ts'
import { send } from '../data/request.ts'
import { useAction, useResource } from '../data/resource.ts'
import { pathTo, place } from '../data/router.ts'
import { changesServices } from '../data/services.ts'
import { many, visible } from '../data/text.ts'
import { Card, State } from '../parts/bits.tsx'
import { PeerLink } from '../parts/links.tsx'
import { Empty, ProblemBox, Show } from '../parts/states.tsx'
import { Ago } from '../parts/time.tsx'

const RUNS = new Set(['accepted', 'running', 'done'])

/** Why a service runs nowhere, or where it runs: what the nodes said, put together. */
export function Why(): JSX.Element {
  const { id } = place.value
  const path = id === undefined ? undefined : `/service/${encodeURIComponent(id)}`
  const service = useResource<ServiceView>(path, (event) => changesServices(event, id))
  const [asked, setAsked] = useState<{ at: number; receipts: readonly ReceiptView[] } | undefined>()
  const action = useAction()
  const askNow = () =>
    action.run(async () => {
      const { receipts } = await send<{ receipts: ReceiptView[] }>(`${path}/ask`)
      setAsked({ at: Math.floor(Date.now() / 1000), receipts })
    })
  return (
    <Show of={service}>
      {(value) => {
        const receipts = newest([...value.receipts, ...(asked?.receipts ?? [])])
        return (
          <>
            <div class="page-head">
              <div>
                <p class="small">
                  <a href={pathTo('service', value.id)}>
                    <bdi>{visible(value.name, 80)}</bdi>
                  </a>
                </p>
                <h1>Where it runs, and why not elsewhere</h1>
                <p class="soft">
                  From the signed receipts of {many(receipts.length, 'node')}. Nodes whose receipts did not arrive are
                  not in here.
                </p>
              </div>
              <button type="button" class="button" data-kind="primary" onClick={askNow} disabled={action.busy}>
                {action.busy ? 'Asking…' : 'Ask the other nodes now'}
              </button>
            </div>
            {action.problem === undefined ? null : <ProblemBox problem={action.problem} />}
            {asked === undefined ? null : (
              <p class="soft" role="status">
                {many(asked.receipts.length, 'node')} answered <Ago at={asked.at} />.
              </p>
            )}
            <Verdict service={value} receipts={receipts} />
            <Causes receipts={receipts} />
            <Nodes receipts={receipts} />
          </>
        )
      }}
    </Show>
  )
}

/** One receipt of each node: the newest. */
function newest(receipts: readonly ReceiptView[]): ReceiptView[] {
  const byNode = new Map<string, ReceiptView>()
  for (const receipt of receipts) {
    const known = byNode.get(receipt.node)
    if (known === undefined || receipt.at >= known.at) byNode.set(receipt.node, receipt)
  }
  return [...byNode.values()].sort((a, b) => Number(RUNS.has(b.state)) - Number(RUNS.has(a.state)) || b.at - a.at)
}

function Verdict({ service, receipts }: { service: ServiceView; receipts: readonly ReceiptView[] }): JSX.Element {
  const elsewhere = receipts.filter(({ state }) => state === 'running').length
  const here = service.state === 'running' ? 1 : 0
  const total = elsewhere + here
  return (
    <div class="notice" data-tone={total > 0 ? 'good' : 'wait'}>
      <p>
        {total > 0
          ? `It runs on ${many(total, 'node')}${here === 1 ? ', this one included' : ''}; ${many(service.replicas, 'run')} wanted.`
          : receipts.length === 0
            ? 'No other node has said what it does with it, and it does not run here.'
            : 'No node has said that it runs it.'}
      </p>
    </div>
  )
}

type Cause = { readonly rule: string; readonly message: string; readonly need: string | undefined; nodes: number }

/** The same reason at many nodes is one thing to change. */
function Causes({ receipts }: { receipts: readonly ReceiptView[] }): JSX.Element | null {
  const causes = new Map<string, Cause>()
  for (const { state, reasons } of receipts) {
    if (RUNS.has(state)) continue
    for (const reason of reasons.filter(({ outcome }) => outcome !== 'pass')) {
      const need = needText(reason)
      const key = `${reason.rule} ${need ?? reason.message}`
      const cause = causes.get(key) ?? { rule: reason.rule, message: reason.message, need, nodes: 0 }
      cause.nodes++
      causes.set(key, cause)
    }
  }
  if (causes.size === 0) return null
  return (
    <Card title="What stops it" note="the most frequent first">
      <ol class="rows">
        {[...causes.entries()]
          .sort(([, a], [, b]) => b.nodes - a.nodes)
          .map(([key, { rule, message, need, nodes }]) => (
            <li key={key} class="cause">
              <span class="number">{many(nodes, 'node')}</span>
              <div>
                <span class="mono">{visible(rule, 40)}</span>: {visible(message, 300)}
                {need === undefined ? null : <div class="need">To pass: {need}.</div>}
              </div>
            </li>
          ))}
      </ol>
    </Card>
  )
}

function Nodes({ receipts }: { receipts: readonly ReceiptView[] }): JSX.Element {
  if (receipts.length === 0) {
    return (
      <Card title="Receipts">
        <Empty title="No receipt is here">
          Receipts go to the node that published a service. Ask the other nodes now: their answers appear here.
        </Empty>
      </Card>
    )
  }
  return (
    <Card title="Receipts" note="newest of each node">
      <table class="table">
        <thead>
          <tr>
            <th scope="col">Node</th>
            <th scope="col">It says</th>
            <th scope="col" class="wide-only">
              Because
            </th>
            <th scope="col" class="end">
              When
            </th>
          </tr>
        </thead>
        <tbody>
          {receipts.map(({ node, peerId, state, redirected, reasons, at }) => (
            <tr key={node}>
              <td>
                <PeerLink of={peerId} node={node} />
              </td>
              <td>
                <State of={state} />
                {redirected ? <span class="soft small"> passed on</span> : null}
              </td>
              <td class="wide-only">
                {reasons
                  .filter(({ outcome }) => outcome !== 'pass')
                  .map(({ message }) => visible(message, 200))
                  .join('; ')}
              </td>
              <td class="end soft">
                <Ago at={at} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Card>
  )
}
