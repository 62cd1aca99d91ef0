/** Runs the example that the first argument names. */
const names = ['two-devices', 'cluster']
const [name = 'two-devices'] = process.argv.slice(2)
if (names.includes(name)) {
  await import(new URL(`${name}/dist/main.js`, import.meta.url).href)
} else {
  console.error(`There is no example ${name}. The examples are: ${names.join(', ')}.`)
  process.exitCode = 1
}
