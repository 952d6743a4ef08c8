// Preloaded by the benchmark: says at exit how much memory the process had at its peak, in KiB.
process.on('exit', () => {
  require('node:fs').writeSync(2, `\npeak=${process.resourceUsage().maxRSS}\n`);
});
