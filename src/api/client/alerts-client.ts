import type { AlertView } from '../../alerts/index.ts'
import { type AlertTest, alertsSchema, alertTestSchema } from '../schemas/alerts.ts'
import type { RestClient } from './rest-client.ts'

type AbortOptions = { signal?: AbortSignal | undefined }

/** Which target each fault is sent to. */
export interface AlertsClient {
  list(options?: AbortOptions): Promise<readonly AlertView[]>
  /** Has a notice of the state "test" sent. Throws NotFoundError where the alert has no target. */
  test(alert: string, options?: AbortOptions): Promise<AlertTest>
}

export function createAlertsClient({ ask }: RestClient): AlertsClient {
  return {
    list: async (options) => (await ask(alertsSchema, '/alerts', { ...options })).alerts,
    test: (alert, options) =>
      ask(alertTestSchema, `/alerts/${encodeURIComponent(alert)}/test`, { ...options, method: 'POST' }, TEST_MS),
  }
}

/** A command or an answer may take five minutes, as TIMEOUT says. */
const TEST_MS = 310_000
