import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import type { ServiceView } from '../../../../node/types.ts'
import { useAnswer } from '../data/resource.ts'
import { go, pathTo, place } from '../data/router.ts'
import { changesServices, PAGE_ROWS, readServices, STATES } from '../data/services.ts'
import { many, visible } from '../data/text.ts'
import { ServiceLink, State } from '../parts/bits.tsx'
import { AuthorLink } from '../parts/links.tsx'
import { Empty, Show } from '../parts/states.tsx'
import { Ago } from '../parts/time.tsx'

/** A person who types is not asked for after each letter. */
const TYPING_MS = 150

export function Services(): JSX.Element {
  const { query } = place.value
  const filter = Object.fromEntries([...query].filter(([, value]) => value !== ''))
  const list = useAnswer(
    JSON.stringify(filter),
    (signal) => readServices(filter, signal),
    (event) => changesServices(event),
  )
  const { cursor, ...kept } = filter
  const set = (change: Record<string, string>) => {
    const next = Object.entries({ ...kept, ...change }).filter(([, value]) => value !== '')
    go(pathTo('services', undefined, next.length === 0 ? undefined : Object.fromEntries(next)), { replace: true })
  }
  return (
    <>
      <div class="page-head">
        <div>
          <h1>Services</h1>
          <p class="soft">All that this node knows, and what it does with each.</p>
        </div>
        <a class="button" data-kind="primary" href={pathTo('publish')}>
          Publish a service
        </a>
      </div>
      <section class="card" aria-label="Services">
        <Filters filter={filter} set={set} />
        <Show of={list}>
          {({ services, next }) =>
            services.length === 0 && next === undefined ? (
              <NoServices filtered={Object.keys(kept).length > 0} clear={() => go(pathTo('services'))} />
            ) : (
              <>
                <Table services={services} />
                <Pages rows={services.length} next={next} first={cursor === undefined} filter={filter} />
              </>
            )
          }
        </Show>
      </section>
    </>
  )
}

type FilterProps = { filter: Record<string, string>; set(change: Record<string, string>): void }

function Filters({ filter, set }: FilterProps): JSX.Element {
  const [text, setText] = useState(filter.search ?? '')
  useEffect(() => {
    if (text === (filter.search ?? '')) return
    const timer = setTimeout(() => set({ search: text }), TYPING_MS)
    return () => clearTimeout(timer)
  }, [text])
  return (
    <search class="toolbar">
      <label class="field">
        <span>Search</span>
        <input
          type="search"
          value={text}
          placeholder="Name, title or description"
          onInput={({ currentTarget }) => setText(currentTarget.value)}
        />
      </label>
      <Choice name="State" value={filter.state ?? ''} values={STATES} set={(state) => set({ state })} />
      <label class="field">
        <span>Author</span>
        <input
          type="text"
          value={filter.author ?? ''}
          placeholder="Any address"
          spellcheck={false}
          onChange={({ currentTarget }) => set({ author: currentTarget.value.trim() })}
        />
      </label>
    </search>
  )
}

function Choice(props: {
  name: string
  value: string
  values: readonly string[]
  set(value: string): void
}): JSX.Element {
  return (
    <label class="field">
      <span>{props.name}</span>
      <select value={props.value} onChange={({ currentTarget }) => props.set(currentTarget.value)}>
        <option value="">Any</option>
        {props.values.map((value) => (
          <option key={value} value={value}>
            {value}
          </option>
        ))}
      </select>
    </label>
  )
}

function Table({ services }: { services: readonly ServiceView[] }): JSX.Element {
  return (
    <table class="table live-value">
      <thead>
        <tr>
          <th scope="col">Service</th>
          <th scope="col">State</th>
          <th scope="col" class="wide-only">
            Author
          </th>
          <th scope="col" class="wide-only">
            Came by
          </th>
          <th scope="col" class="end">
            Received
          </th>
        </tr>
      </thead>
      <tbody>
        {services.map((service) => (
          <tr key={service.id}>
            <td>
              <ServiceLink id={service.id} name={service.name} />{' '}
              <span class="soft small number">
                {service.kind === 'task' ? 'task, ' : ''}version {service.seq}
                {service.supersededBy === undefined ? '' : ', superseded'}
              </span>
              {service.title === '' || service.title === service.name ? null : (
                <div class="soft small wide-only">
                  <bdi>{visible(service.title, 120)}</bdi>
                </div>
              )}
            </td>
            <td>
              <State of={service.state} />
            </td>
            <td class="wide-only">
              <AuthorLink of={service.author} />
            </td>
            <td class="wide-only">{service.via}</td>
            <td class="end soft">
              <Ago at={service.receivedAt} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}

type PagesProps = {
  rows: number
  next: string | undefined
  first: boolean
  filter: Record<string, string>
}

function Pages({ rows, next, first, filter }: PagesProps): JSX.Element {
  const { cursor: _cursor, ...kept } = filter
  return (
    <nav class="buttons" aria-label="More services">
      <span class="soft small">
        {many(rows, 'service')} shown
        {next === undefined ? '' : `, ${PAGE_ROWS} a page`}
      </span>
      {first ? null : (
        <a class="button" href={pathTo('services', undefined, kept)}>
          First page
        </a>
      )}
      {next === undefined ? null : (
        <a class="button" href={pathTo('services', undefined, { ...kept, cursor: next })}>
          Next page
        </a>
      )}
    </nav>
  )
}

function NoServices({ filtered, clear }: { filtered: boolean; clear(): void }): JSX.Element {
  if (!filtered) {
    return (
      <Empty title="No service is known here yet">
        Services come from neighbours, or <a href={pathTo('publish')}>from you</a>.
      </Empty>
    )
  }
  return (
    <Empty title="No service matches">
      <button type="button" class="button" onClick={clear}>
        Clear the filters
      </button>
    </Empty>
  )
}
