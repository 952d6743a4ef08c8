export { readElf } from './elf/read.js';
