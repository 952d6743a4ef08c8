import { oneLine } from '../printable.js';
import { hex } from './hex.js';
import type { Problem } from './problem.js';
import { type ContextOf, PROBLEMS, type ProblemId } from './problems.js';

/** Where something was found: any of a file name, an offset in it, and the part's name in the reader's words. */
export interface Place {
  readonly file?: string | undefined;
  readonly offset?: bigint | undefined;
  readonly part?: string | undefined;
}

/** `vmlinux+0x40: program header 3: `, or as much of it as is known. */
export function placePrefix({ file, offset, part }: Place): string {
  const at = offset === undefined ? '' : `+${hex(offset)}`;
  const head = file === undefined ? (offset === undefined ? '' : hex(offset)) : `${file}${at}`;
  return [head, part ?? '']
    .filter((s) => s !== '')
    .map((s) => `${s}: `)
    .join('');
}

/**
 * The one error this project throws on purpose. It carries a stable id, a place, what was found and wanted, and a hint;
 * the message is the line that the command prints. What is foreign in message, detail and hint is escaped; the place is not.
 */
export class PatchError extends Error {
  readonly id: ProblemId;
  readonly place: Place;
  /** Process exit status for this problem: 1 "the answer is no", 2 "could not be done", 3 "done, but not told". */
  readonly exit: 1 | 2 | 3;
  readonly hint: string | undefined;
  /** The message without place and id. */
  readonly detail: string;

  private constructor(
    id: ProblemId,
    place: Place,
    detail: string,
    exit: 1 | 2 | 3,
    hint: string | undefined,
    cause: unknown,
  ) {
    super(oneLine(`${placePrefix(place)}${detail} [${id}]`), cause === undefined ? undefined : { cause });
    this.name = 'PatchError';
    this.id = id;
    this.place = place;
    this.detail = oneLine(detail);
    this.exit = exit;
    this.hint = hint === undefined ? undefined : oneLine(hint);
  }

  /** The error of a problem, its words made from the context. `place` is where in which file. */
  static of<Id extends ProblemId>(id: Id, place: Place, context: ContextOf<Id>, cause?: unknown): PatchError {
    // The table ties each id to its context type; the union over all ids loses that tie, so it is restored here.
    const declared = PROBLEMS[id] as Problem<ContextOf<Id>>;
    const hint = typeof declared.hint === 'function' ? declared.hint(context) : declared.hint;
    return new PatchError(id, place, declared.text(context), declared.exit, hint, cause);
  }
}

/** Throws the problem `id` at `place`. */
export function fail<Id extends ProblemId>(id: Id, place: Place, context: ContextOf<Id>, cause?: unknown): never {
  throw PatchError.of(id, place, context, cause);
}
