import { svelte } from '@sveltejs/vite-plugin-svelte'
import { defineConfig } from 'vite'

// Relative addresses, so that the page also works behind a proxy's path; nothing is inlined, for the CSP's sake.
export default defineConfig({
  base: './',
  plugins: [svelte()],
  build: {
    target: 'es2022', outDir: '../static', emptyOutDir: true, assetsInlineLimit: 0, modulePreload: { polyfill: false },
    // The page, and the public display, which shares only what it needs.
    rolldownOptions: { input: ['index.html', 'display.html'] },
  },
  // Tests read the style sheet's colours.
  test: { css: { include: [/app\.css/] } },
})
