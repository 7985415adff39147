import type { JSX } from 'preact'
import type { ServiceView } from '../../../../../node/types.ts'
import { send } from '../../data/request.ts'
import { useAction } from '../../data/resource.ts'
import { visible } from '../../data/text.ts'
import { Dialog } from '../../parts/dialog.tsx'
import { ProblemBox } from '../../parts/states.tsx'
import { isOnNodesMachine, Tunnels, useTunnels } from '../../parts/tunnels.tsx'

/** Ways to a port of a service: a tunnel of the node's, where this browser is on its machine, and the command. */
export function Connect({ service, close }: { service: ServiceView; close(): void }): JSX.Element {
  return (
    <Dialog title="Connect to this service" close={close}>
      {isOnNodesMachine() ? <TunnelPart service={service} /> : null}
      <p>On your own machine, this makes a local port that leads to the service:</p>
      {service.ports.map(({ name }) => (
        <pre class="command" key={name}>
          thundercloud connect {service.id}:{visible(name, 64)} --local 8080
        </pre>
      ))}
    </Dialog>
  )
}

function TunnelPart({ service }: { service: ServiceView }): JSX.Element {
  const tunnels = useTunnels()
  const action = useAction()
  const open = (port: string) =>
    action.run(async () => {
      await send(`/service/${encodeURIComponent(service.id)}/tunnel?port=${encodeURIComponent(port)}`)
      tunnels.reload()
    })
  return (
    <>
      <p>
        The node can open a tunnel on its own machine. It ends when you sign out. Until then, every program of the
        machine can use it.
      </p>
      {action.problem === undefined ? null : <ProblemBox problem={action.problem} />}
      <div class="buttons">
        {service.ports.map(({ name }) => (
          <button
            type="button"
            class="button"
            data-kind="primary"
            key={name}
            disabled={action.busy}
            onClick={() => open(name)}
          >
            Open a tunnel to port {visible(name, 64)}
          </button>
        ))}
      </div>
      <Tunnels list={tunnels} service={service.id} />
    </>
  )
}
