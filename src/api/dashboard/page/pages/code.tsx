import type { JSX } from 'preact'
import type { CodeView, StatementView } from '../../../../node/types.ts'
import type { LiveEvent } from '../data/live.ts'
import { useResource } from '../data/resource.ts'
import { pathTo, place } from '../data/router.ts'
import { changesCode, changesServices } from '../data/services.ts'
import { bytesText, many, visible } from '../data/text.ts'
import { Card, Fact, Id, ServiceLink, State } from '../parts/bits.tsx'
import { AuthorLink } from '../parts/links.tsx'
import { Empty, Show } from '../parts/states.tsx'
import { Ago } from '../parts/time.tsx'
import { Statements } from './trust/statements.tsx'

const concernsTrust = ({ name }: LiveEvent) => name.startsWith('trust:')

/** One code: the services that have it, and what hubs say of it. */
export function Code(): JSX.Element {
  const { id = '' } = place.value
  const path = `/code/${encodeURIComponent(id)}`
  const code = useResource<CodeView>(
    path,
    (event) => changesCode(event, { service: undefined, code: id }) || changesServices(event),
  )
  const statements = useResource<{ statements: StatementView[] }>(
    `/statements?code=${encodeURIComponent(id)}`,
    concernsTrust,
  )
  if (code.value === undefined && code.problem?.status === 404) {
    return (
      <Empty title="This node does not know this code">
        No service that it knows has it. <a href={pathTo('services')}>All services</a>
      </Empty>
    )
  }
  return (
    <>
      <div class="page-head">
        <div>
          <p class="small">
            <a href={pathTo('services')}>Services</a>
          </p>
          <h1>Code</h1>
          <p class="soft">
            <Id of={id} />
          </p>
        </div>
      </div>
      <div class="columns">
        <div class="stack">
          <Show of={code}>{(value) => <Services code={value} />}</Show>
          <Card title="What hubs say of it" note="statements that are kept here">
            <Show of={statements}>{(value) => <Statements statements={value.statements} />}</Show>
          </Card>
        </div>
        <Show of={code}>{(value) => <About code={value} />}</Show>
      </div>
    </>
  )
}

function Services({ code: { services } }: { code: CodeView }): JSX.Element {
  return (
    <Card title="Services with this code" note={many(services.length, 'service')}>
      <ul class="rows live-value">
        {services.map(({ id, name, author, state, needed }) => (
          <li key={id}>
            <ServiceLink id={id} name={name} /> <State of={state} />
            <span class="soft small">
              by <AuthorLink of={author} />
              {needed ? ', needs it' : ''}
            </span>
          </li>
        ))}
        {services.length === 0 ? <li class="soft">None that is known here.</li> : null}
      </ul>
    </Card>
  )
}

function About({ code: { state, why, bytes, kept, usedAt } }: { code: CodeView }): JSX.Element {
  return (
    <Card title="On this node">
      <dl class="facts live-value">
        <Fact name="State">
          <State of={state === 'complete' ? 'pass' : state === 'damaged' ? 'fail' : 'defer'}>{state}</State>
        </Fact>
        {bytes === undefined ? null : <Fact name="Size">{bytesText(bytes)}</Fact>}
        {state === 'absent' ? null : <Fact name="Stays">{kept ? 'yes' : 'until the space is needed'}</Fact>}
        {usedAt === undefined ? null : (
          <Fact name="Used">
            <Ago at={usedAt} />
          </Fact>
        )}
      </dl>
      {why === undefined ? null : <p>{visible(why, 400)}</p>}
    </Card>
  )
}
