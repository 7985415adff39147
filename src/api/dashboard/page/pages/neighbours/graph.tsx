import type { JSX } from 'preact'
import type { PeerView } from '../../../../../node/types.ts'
import { shortId } from '../../data/text.ts'

const WIDTH = 880
const FIRST_RING = 165
const RING = 78
/** Labels beside one another need so much of a ring. */
const SPACE = 104
/** A picture of more tells nothing; the table below has all. */
const MAX_DRAWN = 72

type Spot = { readonly peer: PeerView; readonly x: number; readonly y: number; readonly angle: number }
type Props = { peers: readonly PeerView[]; chosen: string | undefined; choose(peer: string | undefined): void }

/** This node in the middle, its neighbours around it; those of the topic's mesh are nearest. */
export function Graph({ peers, chosen, choose }: Props): JSX.Element {
  const spots = placed(peers)
  const radius = Math.max(FIRST_RING, ...spots.map(({ x, y }) => Math.hypot(x, y / 0.62)))
  const height = radius * 0.62 * 2 + 110
  const reach = Math.max(WIDTH / 2, radius + 90)
  const words = `This node and ${peers.length} neighbours; ${peers.filter(({ mesh }) => mesh).length} of them in the mesh.`
  return (
    <figure>
      <svg
        class="graph live-value"
        viewBox={`${-reach} ${-height / 2} ${reach * 2} ${height}`}
        role="img"
        aria-label={words}
      >
        <defs>
          <marker
            id="arrow"
            viewBox="0 0 8 8"
            refX="7"
            refY="4"
            markerWidth="7"
            markerHeight="7"
            orient="auto-start-reverse"
          >
            <path d="M0 0.500L7.500 4L0 7.500z" class="arrow" />
          </marker>
        </defs>
        {spots.map(({ peer, x, y }) => (
          <Link key={peer.peerId} peer={peer} x={x} y={y} />
        ))}
        <g class="node self">
          <circle r="26" />
          <text y="44">this node</text>
        </g>
        {spots.map(({ peer, x, y, angle }) => (
          <g
            key={peer.peerId}
            class="node"
            data-mesh={peer.mesh}
            data-bad={peer.score < 0}
            data-chosen={peer.peerId === chosen}
            transform={`translate(${x} ${y})`}
            onPointerEnter={() => choose(peer.peerId)}
            onPointerLeave={() => choose(undefined)}
          >
            {peer.static ? <rect x="-11" y="-11" width="22" height="22" rx="4" /> : <circle r="11" />}
            <text y={Math.sin(angle) < -0.3 ? -32 : 28}>{shortId(peer.peerId, 6, 6)}</text>
            <text class="node-note" y={Math.sin(angle) < -0.3 ? -18 : 42}>
              {peer.rttMs === undefined ? peer.direction : `${Math.round(peer.rttMs)} ms`}
            </text>
          </g>
        ))}
      </svg>
      {peers.length > MAX_DRAWN ? (
        <figcaption class="soft small">
          {MAX_DRAWN} of {peers.length} are drawn; the table has all.
        </figcaption>
      ) : null}
    </figure>
  )
}

function Link({ peer, x, y }: { peer: PeerView; x: number; y: number }): JSX.Element {
  const length = Math.hypot(x, y)
  const [dx, dy] = [x / length, y / length]
  const [from, to] = [30, length - 16]
  return (
    <line
      class="edge"
      x1={dx * from}
      y1={dy * from}
      x2={dx * to}
      y2={dy * to}
      data-mesh={peer.mesh}
      data-relayed={peer.relayed}
      marker-end={peer.direction === 'outbound' ? 'url(#arrow)' : undefined}
      marker-start={peer.direction === 'inbound' ? 'url(#arrow)' : undefined}
    />
  )
}

/** Rings around this node, flat as the page is wide. The order does not change while the neighbours do not. */
function placed(peers: readonly PeerView[]): Spot[] {
  const order = [...peers].sort((a, b) => Number(b.mesh) - Number(a.mesh) || (a.peerId < b.peerId ? -1 : 1))
  const spots: Spot[] = []
  let rest = order.slice(0, MAX_DRAWN)
  for (let ring = 0; rest.length > 0; ring++) {
    const radius = FIRST_RING + ring * RING
    const room = Math.floor((Math.PI * 2 * radius) / SPACE)
    const here = rest.slice(0, room)
    rest = rest.slice(room)
    for (const [index, peer] of here.entries()) {
      const angle = -Math.PI / 2 + ((index + (ring % 2) / 2) / here.length) * Math.PI * 2
      const wide = here.length === 1 ? 1 : 1.25
      spots.push({ peer, angle, x: Math.cos(angle) * radius * wide, y: Math.sin(angle) * radius * 0.78 })
    }
  }
  return spots
}
