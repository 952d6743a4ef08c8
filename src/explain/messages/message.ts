/** A message that a user may come with: who prints it, what is behind it, what to do. */
export interface Message {
  readonly by: string;
  /** As printed; `…` stands for a part that varies. Several wordings of the same thing share an entry. */
  readonly says: readonly string[];
  readonly cause: string;
  readonly cure: string;
  /** Command lines that find or mend it. */
  readonly commands: readonly string[];
  /** `ending`: how every refusal ends, with the reason above it. `remark`: printed where nothing is wrong. Else a reason. */
  readonly kind?: 'ending' | 'remark';
}
