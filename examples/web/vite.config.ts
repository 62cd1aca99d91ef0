import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import react from '@vitejs/plugin-react'
import { defineConfig, type Plugin } from 'vite'

const worker = 'service-worker.js'
/** Files whose names do not depend on their content. */
const unhashed = ['index.html', 'public/icon.svg', 'public/manifest.webmanifest']

/** Tells the service worker which files to cache: all files of this build. */
function offlineFiles(): Plugin {
  return {
    name: 'offline-files',
    generateBundle(_options, bundle) {
      const chunk = bundle[worker]
      if (chunk?.type !== 'chunk') return
      const names = Object.keys(bundle).filter(
        name => name !== worker && name !== 'index.html' && !name.endsWith('.map'),
      )
      const files = ['/', '/icon.svg', '/manifest.webmanifest', ...names.map(name => `/${name}`)]
      // The names of assets contain a hash of their content.
      const hash = createHash('sha256').update(files.join())
      for (const file of unhashed) hash.update(readFileSync(new URL(file, import.meta.url)))
      const build = hash.digest('hex').slice(0, 12)
      chunk.code = `const files=${JSON.stringify(files)},build=${JSON.stringify(build)};${chunk.code}`
    },
  }
}

export default defineConfig({
  plugins: [react(), offlineFiles()],
  build: {
    outDir: 'dist/page',
    sourcemap: true,
    chunkSizeWarningLimit: 1500,
    rollupOptions: {
      input: { index: 'index.html', 'service-worker': 'offline/service-worker.ts' },
      output: {
        entryFileNames: ({ name }) => (name === 'service-worker' ? worker : 'assets/[name]-[hash].js'),
      },
    },
  },
})
