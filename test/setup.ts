import { configureGlobal, readConfigureGlobal } from 'fast-check'

// What decides about one commit must say the same each time; elsewhere every run looks somewhere new.
if (process.env.CI !== undefined) configureGlobal({ ...readConfigureGlobal(), seed: 1_795_392_000 })
