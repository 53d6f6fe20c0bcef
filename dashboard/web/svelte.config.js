// Types are stripped by Svelte's own compiler; svelte-check reads them.
export default { compilerOptions: { runes: true } }
