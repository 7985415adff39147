import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import type { PeerView } from '../../../../node/types.ts'
import type { LiveEvent } from '../data/live.ts'
import { useResource } from '../data/resource.ts'
import { place } from '../data/router.ts'
import { many, shortId } from '../data/text.ts'
import { Card, Id, State } from '../parts/bits.tsx'
import { AuthorLink } from '../parts/links.tsx'
import { Empty, Show } from '../parts/states.tsx'
import { Ago } from '../parts/time.tsx'
import { Graph } from './neighbours/graph.tsx'

const concerns = ({ name }: LiveEvent) => name.startsWith('network:')

/** The nodes that this node is connected to. What they are connected to, it does not see, and nothing of that is drawn. */
export function Neighbours(): JSX.Element {
  const list = useResource<{ peers: PeerView[] }>('/peers', concerns)
  const asked = place.value.query.get('peer') ?? undefined
  const [chosen, setChosen] = useState<string | undefined>(asked)
  return (
    <>
      <div class="page-head">
        <div>
          <h1>Neighbours</h1>
          <p class="soft">
            What this node sees: its own connections. Who else is in the mesh, and how they are joined, it does not see.
          </p>
        </div>
        <button type="button" class="button" onClick={list.reload}>
          Look again
        </button>
      </div>
      <Show of={list}>
        {({ peers }) =>
          peers.length === 0 ? (
            <section class="card" aria-label="Neighbours">
              <Empty title="No neighbour is connected">
                STATIC_NODES of the policy names nodes that are dialled. <code>thundercloud doctor</code> says what is
                in the way.
              </Empty>
            </section>
          ) : (
            <>
              {asked === undefined || peers.some(({ peerId }) => peerId === asked) ? null : (
                <div class="notice" data-tone="calm">
                  <p>
                    {shortId(asked)} is no neighbour now: this node knows of it through the mesh, and has no connection
                    with it.
                  </p>
                </div>
              )}
              <Card title={many(peers.length, 'neighbour')} note={meshText(peers)}>
                <Graph peers={peers} chosen={chosen} choose={setChosen} />
                <Legend />
              </Card>
              <Card title="Connections">
                <Table peers={peers} chosen={chosen} />
              </Card>
            </>
          )
        }
      </Show>
    </>
  )
}

function meshText(peers: readonly PeerView[]): string {
  return `${many(peers.filter(({ mesh }) => mesh).length, 'is', 'are')} in the mesh of the services topic`
}

function Legend(): JSX.Element {
  return (
    <ul class="legend small soft">
      <li>
        <i class="key-mesh" /> in the topic's mesh
      </li>
      <li>
        <i class="key-plain" /> connected only
      </li>
      <li>
        <i class="key-relay" /> over a relay
      </li>
      <li>
        <i class="key-static" /> named in STATIC_NODES
      </li>
      <li>
        <i class="key-bad" /> score below 0
      </li>
      <li>The arrow leads from the node that dialled.</li>
    </ul>
  )
}

function Table({ peers, chosen }: { peers: readonly PeerView[]; chosen: string | undefined }): JSX.Element {
  return (
    <table class="table live-value">
      <thead>
        <tr>
          <th scope="col">Peer</th>
          <th scope="col">Dialled by</th>
          <th scope="col" class="wide-only">
            Address
          </th>
          <th scope="col" class="end">
            Round trip
          </th>
          <th scope="col" class="end">
            Score
          </th>
          <th scope="col" class="end wide-only">
            Connected
          </th>
        </tr>
      </thead>
      <tbody>
        {peers.map((peer) => (
          <tr key={peer.peerId} data-chosen={peer.peerId === chosen}>
            <td>
              <Id of={peer.peerId} /> {peer.mesh ? <State of="pass">mesh</State> : null}{' '}
              {peer.static ? <span class="soft small">static</span> : null} <AuthorLink of={peer.address} />
            </td>
            <td>{peer.direction === 'inbound' ? 'it' : 'this node'}</td>
            <td class="wide-only mono small">
              {peer.multiaddr.replace(/\/p2p\/\w+$/, '')}
              {peer.relayed ? ' (relayed)' : ''}
            </td>
            <td class="end number">{peer.rttMs === undefined ? '–' : `${Math.round(peer.rttMs)} ms`}</td>
            <td class="end number" data-tone={peer.score < 0 ? 'bad' : undefined}>
              {peer.score.toFixed(1)}
            </td>
            <td class="end soft wide-only">
              <Ago at={peer.connectedAt} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}
