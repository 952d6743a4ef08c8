/** What can be done to the payload of a container. */

/** The ways to get notes into it: a second payload, the payload made anew, the ELF alone, and the second payload taken off. */
export const PAYLOAD_ACTIONS = ['attach', 'replace', 'extract', 'detach'] as const;
/** What `--payload` does with the payload of a container. */
export type PayloadAction = (typeof PAYLOAD_ACTIONS)[number];
