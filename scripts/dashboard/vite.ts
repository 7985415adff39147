import { join } from 'node:path'
import type { InlineConfig } from 'vite'

export const ROOT = join(import.meta.dirname, '../..')
export const PAGE = join(ROOT, 'src/api/dashboard/page')
export const OUTPUT = join(ROOT, 'dist/dashboard')

/** How the dashboard is built. No file of it holds inline code or style: the node's content security policy allows none. */
export const viteConfig: InlineConfig = {
  configFile: false,
  envDir: false,
  root: PAGE,
  base: '/dashboard/',
  logLevel: 'warn',
  publicDir: false,
  build: {
    outDir: OUTPUT,
    emptyOutDir: true,
    target: 'es2024',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    // those whose work is in the bundle are named beside it
    license: { fileName: 'licenses.md' },
    rolldownOptions: { checks: { pluginTimings: false }, output: { hashCharacters: 'hex' } },
  },
}
