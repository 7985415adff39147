import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import type { ServiceView } from '../../../../../node/types.ts'
import { send } from '../../data/request.ts'
import { useAction } from '../../data/resource.ts'
import { Dialog } from '../../parts/dialog.tsx'
import { ProblemBox } from '../../parts/states.tsx'
import { Connect } from './connect.tsx'

const OVER = new Set(['stopped', 'expired', 'refused', 'redirected', 'done'])

export function Actions({ service }: { service: ServiceView }): JSX.Element {
  const [open, setOpen] = useState<'stop' | 'connect' | undefined>()
  const action = useAction()
  const stop = () =>
    action.run(async () => {
      await send(`/service/${encodeURIComponent(service.id)}/stop`)
      setOpen(undefined)
    })
  return (
    <div class="buttons">
      {service.ports.length === 0 ? null : (
        <button type="button" class="button" onClick={() => setOpen('connect')}>
          Connect
        </button>
      )}
      {OVER.has(service.state) ? null : (
        <button type="button" class="button" data-kind="danger" onClick={() => setOpen('stop')}>
          Stop
        </button>
      )}
      {open === 'stop' ? (
        <Dialog title="Stop this service?" close={() => setOpen(undefined)}>
          <p>
            If this node's own key signed it, it is stopped in the whole mesh. Else it is stopped here, and stays
            stopped when the node starts again.
          </p>
          {action.problem === undefined ? null : <ProblemBox problem={action.problem} />}
          <div class="buttons">
            <button type="button" class="button" data-kind="danger" onClick={stop} disabled={action.busy}>
              Stop it
            </button>
            <button type="button" class="button" onClick={() => setOpen(undefined)}>
              Leave it
            </button>
          </div>
        </Dialog>
      ) : null}
      {open === 'connect' ? <Connect service={service} close={() => setOpen(undefined)} /> : null}
    </div>
  )
}
