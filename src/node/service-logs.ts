import { NotFoundError } from '../base/errors.ts'
import type { Supervisor } from '../execution/index.ts'
import type { Services } from '../services/registry.ts'
import type { ThundercloudNode } from './types.ts'

/** The logs of a service that has run here. */
export function createServiceLogs({
  services,
  supervisor,
}: {
  services: Pick<Services, 'find'>
  supervisor: Pick<Supervisor, 'logs'>
}): ThundercloudNode['logs'] {
  return (text, options) => {
    const { id, run, record } = services.find(text)
    if (run !== undefined) return supervisor.logs(id, options)
    throw new NotFoundError(
      `"${record.name}" has not run on this node; \`thundercloud logs ${record.name}\` with its author's key reads them where it ran`,
    )
  }
}
