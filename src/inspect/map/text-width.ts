/**
 * How wide a text of the picture is, and how it is shortened to the room there is. The picture names the reader's own font
 * first and DejaVu Sans behind it; of the fonts in common use DejaVu Sans is the widest, so what fits by its widths fits.
 */

/** Advance widths of U+0020 to U+007E in hundredths of the font size, rounded up: DejaVu Sans 2.37. */
const PLAIN = widths(
  '32 41 46 84 64 96 78 28 40 40 50 84 32 37 32 34 64 64 64 64 64 64 64 64 64 64 34 34 84 84 84 54 ' +
    '100 69 69 70 78 64 58 78 76 30 30 66 56 87 75 79 61 79 70 64 62 74 69 99 69 62 69 40 34 40 84 50 ' +
    '50 62 64 55 64 62 36 64 64 28 28 58 28 98 64 62 64 64 42 53 40 64 60 82 60 60 53 64 34 64 84',
);
/** The same, bold. */
const BOLD = widths(
  '35 46 53 84 70 101 88 31 46 46 53 84 38 42 38 37 70 70 70 70 70 70 70 70 70 70 40 40 84 84 84 59 ' +
    '100 78 77 74 84 69 69 83 84 38 38 78 64 100 84 86 74 86 78 73 69 82 78 111 78 73 73 46 37 46 84 50 ' +
    '50 68 72 60 72 68 44 72 72 35 35 67 35 105 72 69 72 72 50 60 48 72 66 93 65 66 59 72 37 72 84',
);
/** DejaVu Sans Mono. */
const MONO = 61;
/** Anything else: the widest that a character of it was seen to be. */
const OTHER = 112;

/** A font of the picture; its size in pixels. */
export interface Font {
  readonly size: number;
  readonly kind: 'plain' | 'bold' | 'mono';
}

function widths(text: string): readonly number[] {
  return text.split(' ').map(Number);
}

/** Pixels that a text takes at most. */
export function textWidth(text: string, font: Font): number {
  let sum = 0;
  for (const character of text) sum += charWidth(character, font);
  return (sum * font.size) / 100;
}

function charWidth(character: string, { kind }: Font): number {
  const index = (character.codePointAt(0) ?? 0) - 0x20;
  if (index < 0 || index >= PLAIN.length) return OTHER;
  return kind === 'mono' ? MONO : ((kind === 'bold' ? BOLD : PLAIN)[index] ?? OTHER);
}

/** The text when it fits into `room` pixels, else its beginning and its end around an ellipsis: both tell names apart. */
export function fitted(text: string, font: Font, room: number): string {
  if (textWidth(text, font) <= room) return text;
  const characters = [...text];
  let left = room - textWidth('…', font);
  let head = 0;
  let tail = 0;
  while (head + tail < characters.length) {
    const fromFront = head <= tail;
    const next = characters[fromFront ? head : characters.length - 1 - tail] ?? '';
    left -= textWidth(next, font);
    if (left < 0) break;
    if (fromFront) head += 1;
    else tail += 1;
  }
  return `${characters.slice(0, head).join('')}…${tail === 0 ? '' : characters.slice(-tail).join('')}`;
}
