// Buffer, where a package names it as Node's global.
export { Buffer } from 'buffer';
