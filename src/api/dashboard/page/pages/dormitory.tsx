import type { JSX } from 'preact'
import type { ServiceView } from '../../../../node/types.ts'
import { wakeText } from '../data/needs.ts'
import { useAnswer } from '../data/resource.ts'
import { pathTo } from '../data/router.ts'
import { changesServices, readServices } from '../data/services.ts'
import { many } from '../data/text.ts'
import { Card, ServiceLink } from '../parts/bits.tsx'
import { AuthorLink } from '../parts/links.tsx'
import { Empty, Show } from '../parts/states.tsx'
import { Ago } from '../parts/time.tsx'

/** Services that are accepted and wait: what each waits for. */
export function Dormitory(): JSX.Element {
  const list = useAnswer(
    'dormitory',
    (signal) => readServices({ state: 'parked' }, signal),
    (event) => changesServices(event),
  )
  return (
    <>
      <div class="page-head">
        <div>
          <h1>Dormitory</h1>
          <p class="soft">Services that this node would run, and does not start yet.</p>
        </div>
      </div>
      <Show of={list}>
        {({ services, next }) => {
          const parked = services.filter(isParked)
          if (parked.length === 0) {
            return (
              <section class="card" aria-label="Dormitory">
                <Empty title="Nothing sleeps here">
                  A service is parked when a rule defers it, or there is no room for it.
                </Empty>
              </section>
            )
          }
          return (
            <>
              {groups(parked).map(([reason, members]) => (
                <Card key={reason} title={`Until ${reason}`} note={many(members.length, 'service')}>
                  <Sleepers services={members} />
                </Card>
              ))}
              {next === undefined ? null : (
                <a href={pathTo('services', undefined, { state: 'parked' })}>There are more: all parked services</a>
              )}
            </>
          )
        }}
      </Show>
    </>
  )
}

type Parked = ServiceView & { readonly parked: NonNullable<ServiceView['parked']> }

function isParked(service: ServiceView): service is Parked {
  return service.parked !== undefined
}

function groups(services: readonly Parked[]): [string, Parked[]][] {
  const byReason = Map.groupBy(services, ({ parked }) =>
    parked.drained === true
      ? 'the drain of this node ends'
      : parked.paused === true
        ? 'this node is resumed'
        : parked.on.map(wakeText).join(', or '),
  )
  return [...byReason].sort(([, a], [, b]) => b.length - a.length)
}

function Sleepers({ services }: { services: readonly Parked[] }): JSX.Element {
  return (
    <table class="table live-value">
      <thead>
        <tr>
          <th scope="col">Service</th>
          <th scope="col" class="wide-only">
            Author
          </th>
          <th scope="col" class="end">
            Parked
          </th>
          <th scope="col" class="end">
            At most until
          </th>
        </tr>
      </thead>
      <tbody>
        {services.map(({ id, name, author, parked }) => (
          <tr key={id}>
            <td>
              <ServiceLink id={id} name={name} />
            </td>
            <td class="wide-only">
              <AuthorLink of={author} />
            </td>
            <td class="end soft">
              <Ago at={parked.since} />
            </td>
            <td class="end soft">
              <Ago at={parked.until} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}
