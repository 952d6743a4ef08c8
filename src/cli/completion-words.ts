/** Words that complete values and stand in modules which nothing but completing needs at once. */
import type { Settings } from './option-table.js';

/** Names of Xen's notes. */
export async function noteNames(): Promise<string[]> {
  const { XEN_NOTES } = await import('../formats/note/xen-notes.js');
  return XEN_NOTES.map(({ name }) => name);
}

/** Names of Xen's notes with a `=` behind each, for what NAME=VALUE begins with. */
export async function noteSettings(): Promise<string[]> {
  return (await noteNames()).map((name) => `${name}=`);
}

/** Notes whose value is where something is: a symbol tells it. */
const ADDRESSES: ReadonlySet<string> = new Set(['ENTRY', 'HYPERCALL_PAGE', 'VIRT_BASE', 'INIT_P2M', 'HV_START_LOW']);

/** What the values of Xen's notes begin with, or are. */
export async function noteValues(): Promise<Settings> {
  const { FEATURES } = await import('../formats/note/features.js');
  const texts: Settings = {
    XEN_VERSION: ['xen-3.0'],
    GUEST_OS: ['linux'],
    LOADER: ['generic'],
    PAE_MODE: ['yes', 'bimodal'],
    BSD_SYMTAB: ['yes'],
    FEATURES: FEATURES.filter(({ inString }) => inString).map(({ name }) => name),
    PHYS32_ENTRY: ['phys:', 'phys:entry', 'sym:'],
    PADDR_OFFSET: ['0'],
    SUSPEND_CANCEL: ['1'],
    MOD_START_PFN: ['1'],
    L1_MFN_VALID: ['1:1'],
  };
  const address = ['sym:', 'entry'];
  const entries = (await noteNames()).map((name) => {
    const own = texts[name] ?? (ADDRESSES.has(name) ? address : []);
    return [name, [...own, 'hex:', 'file:']] as const;
  });
  return Object.fromEntries(entries);
}

/** Members of package metadata with a `=` behind each. */
export async function metadataSettings(): Promise<string[]> {
  const { WELL_KNOWN_KEYS } = await import('../edit/stamp/package-metadata.js');
  return WELL_KNOWN_KEYS.map((key) => `${key}=`);
}

/** Values of members of package metadata that the convention gives as examples. */
export async function metadataValues(): Promise<Settings> {
  return {
    type: ['deb', 'rpm', 'alpm', 'apk', 'ebuild'],
    os: ['debian', 'ubuntu', 'fedora', 'arch', 'alpine'],
    architecture: ['amd64', 'x86_64', 'i386', 'arm64', 'aarch64'],
  };
}

/** Everything that `explain` explains. */
export async function topics(): Promise<readonly string[]> {
  const { topicNames } = await import('../explain/index.js');
  return topicNames();
}
