// yargs-parser makes a require() for configuration files, of which the command has none. Node's own module would be loaded by
// every run for that alone.
export const createRequire = undefined;
