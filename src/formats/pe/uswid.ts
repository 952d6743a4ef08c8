/** The head of a uSWID container (fwupd, uswid.rs): 16 bytes of magic, then version, size of the head, size of what follows. */

const MAGIC = [0x53, 0x42, 0x4f, 0x4d, 0xd6, 0xba, 0x2e, 0xac, 0xa3, 0xe6, 0x7a, 0x52, 0xaa, 0xee, 0x3b, 0xaf];
/** Magic, hdrver (1 byte), hdrsz (2), payloadsz (4). */
const HEAD = MAGIC.length + 7;

/** Why bytes are no uSWID container; undefined when they are one. */
export function uswidProblem(bytes: Uint8Array): string | undefined {
  if (MAGIC.some((byte, at) => bytes[at] !== byte))
    return 'it does not begin with the magic of a uSWID container (SBOM and 12 bytes)';
  if (bytes.length < HEAD) return `it ends in its head: found ${bytes.length} bytes, wanted at least ${HEAD}`;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const head = view.getUint16(MAGIC.length + 1, true);
  const payload = view.getUint32(MAGIC.length + 3, true);
  if (head < HEAD) return `its head says ${head} bytes of itself, wanted at least ${HEAD}`;
  if (head + payload > bytes.length) return `it says ${head + payload} bytes of itself, found ${bytes.length}`;
  return undefined;
}
