import type { JSX } from 'preact'
import type { ServiceView } from '../../../../../node/types.ts'
import { many, visible } from '../../data/text.ts'
import { Card, Fact, Id } from '../../parts/bits.tsx'
import { AuthorLink, CodeLink } from '../../parts/links.tsx'
import { Ago } from '../../parts/time.tsx'

const VIA = {
  gossip: 'a neighbour, as it was announced',
  sync: 'a neighbour, afterwards',
  api: 'this API',
  local: 'this node itself',
} as const

/** What its author wrote, and how it came here. */
export function About({ service }: { service: ServiceView }): JSX.Element {
  const { desc, author, code, kind, seq, ports, replicas, issued, expires, receivedAt, via, depth } = service
  return (
    <Card title="Description">
      {desc === '' ? null : (
        <p>
          <bdi>{visible(desc, 2_000)}</bdi>
        </p>
      )}
      <dl class="facts">
        <Fact name="Author">
          <AuthorLink of={author} /> <Id of={author} />
        </Fact>
        <Fact name="Code">
          <CodeLink of={code} />
        </Fact>
        <Fact name="Kind">
          {kind}, version {seq}
        </Fact>
        <Fact name="Ports">
          {ports.length === 0
            ? 'none'
            : ports.map(({ name, port, access }) => (
                <div key={name}>
                  <bdi>{visible(name, 64)}</bdi>{' '}
                  <span class="soft">
                    {port}, for {ACCESS[access]}
                  </span>
                </div>
              ))}
        </Fact>
        <Fact name="Wanted">{many(replicas, 'run')} in the mesh</Fact>
        <Fact name="Heard from">{VIA[via]}</Fact>
        <Fact name="May travel">{many(depth, 'more hop')}</Fact>
        <Fact name="Issued">
          <Ago at={issued} />
        </Fact>
        <Fact name="Received">
          <Ago at={receivedAt} />
        </Fact>
        <Fact name="Expires">
          <Ago at={expires} />
        </Fact>
      </dl>
    </Card>
  )
}

const ACCESS = { author: 'its author', siblings: 'its author and its other runs', any: 'anyone' } as const
