import type { JSX } from 'preact'
import type { Explanation, ServiceView } from '../../../../node/types.ts'
import { useResource } from '../data/resource.ts'
import { pathTo, place } from '../data/router.ts'
import { changesCode, changesServices } from '../data/services.ts'
import { visible } from '../data/text.ts'
import { Id, State } from '../parts/bits.tsx'
import { Empty, Show } from '../parts/states.tsx'
import { About } from './service/about.tsx'
import { Actions } from './service/actions.tsx'
import { CodeCard } from './service/code.tsx'
import { Receipts } from './service/receipts.tsx'
import { RunCard } from './service/run.tsx'
import { RunLog } from './service/run-log.tsx'
import { VerdictCard } from './service/verdict.tsx'

export function Service(): JSX.Element {
  const { id } = place.value
  const path = id === undefined ? undefined : `/service/${encodeURIComponent(id)}`
  const service = useResource<ServiceView>(path, (event) => changesServices(event, id))
  const { code } = service.value ?? {}
  const why = useResource<Explanation>(
    path === undefined ? undefined : `${path}/explain?history=true`,
    (event) => changesServices(event, id) || changesCode(event, { service: id, code }),
  )
  if (service.value === undefined && service.problem?.status === 404) {
    return (
      <Empty title="This node does not know this service">
        It may have expired, or not have arrived. <a href={pathTo('services')}>All services</a>
      </Empty>
    )
  }
  return (
    <Show of={service}>
      {(value) => (
        <>
          <Head service={value} />
          <div class="columns">
            <div class="stack">
              {value.run === undefined ? null : (
                <>
                  <RunCard id={value.id} run={value.run} />
                  <RunLog id={value.id} runId={value.run.runId} />
                </>
              )}
              <VerdictCard service={value} why={why} />
            </div>
            <div class="stack">
              <About service={value} />
              <CodeCard why={why} />
              <Receipts service={value} />
            </div>
          </div>
        </>
      )}
    </Show>
  )
}

function Head({ service }: { service: ServiceView }): JSX.Element {
  const { id, name, title, state, run, supersededBy, stoppedBy } = service
  return (
    <>
      <div class="page-head">
        <div>
          <p class="small">
            <a href={pathTo('services')}>Services</a>
          </p>
          <h1>
            <bdi>{visible(name, 80)}</bdi> <State of={state} />{' '}
            {run?.healthy === true && run.state === 'running' ? <State of="pass">healthy</State> : null}
          </h1>
          <p class="soft">
            {title === '' || title === name ? null : (
              <>
                <bdi>{visible(title, 200)}</bdi>.{' '}
              </>
            )}
            <Id of={id} />
          </p>
        </div>
        <Actions service={service} />
      </div>
      {supersededBy === undefined ? null : (
        <div class="notice" data-tone="wait">
          <p>
            There is a <a href={pathTo('service', supersededBy)}>newer version</a> of this service.
          </p>
        </div>
      )}
      {stoppedBy === undefined ? null : (
        <div class="notice" data-tone="calm">
          <p>Its author has stopped this service in the whole mesh.</p>
        </div>
      )}
    </>
  )
}
