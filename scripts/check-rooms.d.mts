/** A room of src and what it may import, itself included. */
export interface Room {
  readonly name: string;
  /** Its line in scripts/rooms.txt. */
  readonly line: number;
  readonly prefixes: readonly string[];
  readonly platform: boolean;
  readonly may: ReadonlySet<string>;
  readonly packages: ReadonlySet<string>;
}

/** A file by its path within src. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
}

/** What a file does that no line allows. */
export interface RoomBreach {
  readonly path: string;
  readonly line: number;
  readonly text: string;
}

export const PLATFORM_GLOBALS: readonly string[];
export function parseRooms(text: string): Room[];
export function roomOf(rooms: readonly Room[], path: string): Room | undefined;
export function checkFiles(rooms: readonly Room[], files: readonly SourceFile[]): RoomBreach[];
export function checkTree(root: string): string[];
