import { test } from 'vitest'
import { expectHeld } from './attack.ts'

test(
  'clients that vanish on each protocol leave no descriptor, timer or connection behind',
  () => expectHeld('S3'),
  180_000,
)
