import { test } from 'vitest'
import { expectHeld } from './attack.ts'

test('who lies by gossip, records or sync is disconnected and refused', () => expectHeld('S8', 'S8b', 'S8c'), 180_000)
