/** The declaration engine, by the name under which ELF code knows it. */
export * from '../../base/bytes/struct.js';
