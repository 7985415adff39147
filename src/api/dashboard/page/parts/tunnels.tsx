import type { JSX } from 'preact'
import type { TunnelView } from '../../../tunnels/tunnels.ts'
import { send } from '../data/request.ts'
import { type Resource, useAction, useResource } from '../data/resource.ts'
import { many, visible } from '../data/text.ts'
import { ServiceLink } from './bits.tsx'
import { ProblemBox, Show } from './states.tsx'
import { Ago } from './time.tsx'

export type TunnelList = { readonly tunnels: readonly TunnelView[] }

export function useTunnels(): Resource<TunnelList> {
  return useResource<TunnelList>('/tunnels')
}

/** A tunnel is on the node's machine: a browser elsewhere cannot reach it. */
export function isOnNodesMachine(): boolean {
  return /^(127(\.\d+){3}|\[::1\]|localhost)$/.test(location.hostname)
}

type Props = { readonly list: Resource<TunnelList>; readonly service?: string | undefined }

/** Open tunnels, with the way into each and its end; `service`: those of this one. */
export function Tunnels({ list, service }: Props): JSX.Element {
  const action = useAction()
  const close = (id: string) =>
    action.run(async () => {
      await send(`/tunnels/${encodeURIComponent(id)}/close`)
      list.reload()
    })
  return (
    <>
      {action.problem === undefined ? null : <ProblemBox problem={action.problem} />}
      <Show of={list}>
        {({ tunnels }) => {
          const shown = tunnels.filter((tunnel) => service === undefined || tunnel.service === service)
          return (
            <ul class="rows" aria-label="Open tunnels">
              {shown.map((tunnel) => (
                <li key={tunnel.id} class="session">
                  <div>
                    <a href={`http://${tunnel.local}/`} target="_blank" rel="noopener noreferrer">
                      {tunnel.local}
                    </a>{' '}
                    leads to port <bdi class="mono">{visible(tunnel.port, 64)}</bdi>
                    {service === undefined ? (
                      <>
                        {' '}
                        of <ServiceLink id={tunnel.service} />
                      </>
                    ) : null}
                    <div class="soft small">
                      opened by the {tunnel.by.kind} {visible(tunnel.by.id, 40)} <Ago at={tunnel.openedAt} />; ends{' '}
                      <Ago at={tunnel.expires} />, or with it; {many(tunnel.connections, 'connection')} now
                    </div>
                    {tunnel.problem === undefined ? null : <p>{visible(tunnel.problem, 300)}</p>}
                  </div>
                  <button type="button" class="button" disabled={action.busy} onClick={() => close(tunnel.id)}>
                    Close<span class="unseen"> the tunnel {tunnel.local}</span>
                  </button>
                </li>
              ))}
              {shown.length === 0 ? <li class="soft">No tunnel is open.</li> : null}
            </ul>
          )
        }}
      </Show>
    </>
  )
}
