/** The few shapes that the picture is made of, as text. Everything foreign goes through `escapeXml`. */
import { type Font, fitted } from './text-width.js';

/** A rectangle of the picture, in pixels from its upper left corner. */
export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Foreign text in an XML document: no markup, no control or format characters. */
export function escapeXml(text: string): string {
  return text
    .replace(/[\p{C}\p{Zl}\p{Zp}]/gu, '\ufffd')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}

/** A rectangle; `tip` is shown when the pointer rests on it. */
export function rect({ x, y, width, height }: Box, className: string, tip = ''): string {
  const title = tip === '' ? '' : `<title>${escapeXml(tip)}</title>`;
  return `<rect x="${round(x)}" y="${round(y)}" width="${round(width)}" height="${round(height)}" class="${className}">${title}</rect>\n`;
}

/** The fonts of the style sheet, by the class that asks for them. */
const FONTS: Readonly<Record<string, Font>> = {
  title: { size: 16, kind: 'bold' },
  small: { size: 11, kind: 'plain' },
  address: { size: 11, kind: 'mono' },
};
const USUAL: Font = { size: 12, kind: 'plain' };

/** How a line of text stands: its classes, the end that `x` is, and the pixels that it may take. */
export interface TextStyle {
  readonly className?: string;
  readonly anchor?: 'start' | 'middle' | 'end';
  readonly room?: number;
}

/** One line of text, shortened in the middle to the room there is. */
export function text(x: number, y: number, content: string, style: TextStyle = {}): string {
  const { className = '', anchor = 'start', room = Number.POSITIVE_INFINITY } = style;
  const font =
    className
      .split(' ')
      .map((name) => FONTS[name])
      .find((found) => found !== undefined) ?? USUAL;
  const side = anchor === 'start' ? '' : ` text-anchor="${anchor}"`;
  return `<text x="${round(x)}" y="${round(y)}" class="${className}"${side}>${escapeXml(fitted(content, font, room))}</text>\n`;
}

/** A ribbon between two vertical edges. */
export function ribbon(
  left: readonly [x: number, top: number, bottom: number],
  right: readonly [x: number, top: number, bottom: number],
  className: string,
): string {
  const [x0, top0, bottom0] = left;
  const [x1, top1, bottom1] = right;
  const middle = (x0 + x1) / 2;
  const path = [
    `M ${round(x0)} ${round(top0)}`,
    `C ${round(middle)} ${round(top0)} ${round(middle)} ${round(top1)} ${round(x1)} ${round(top1)}`,
    `L ${round(x1)} ${round(bottom1)}`,
    `C ${round(middle)} ${round(bottom1)} ${round(middle)} ${round(bottom0)} ${round(x0)} ${round(bottom0)} Z`,
  ].join(' ');
  return `<path d="${path}" class="${className}"/>\n`;
}

/** A triangle that points left, at an address. */
export function pointer(x: number, y: number): string {
  return `<path d="M ${round(x)} ${round(y)} l 8 -4 l 0 8 Z" class="mark"/>\n`;
}

/** A dashed horizontal line, as one SVG path and a line feed. Coordinates in pixels. */
export function dashed(x0: number, x1: number, y: number): string {
  return `<path d="M ${round(x0)} ${round(y)} L ${round(x1)} ${round(y)}" class="gap"/>\n`;
}

function round(value: number): string {
  return `${Math.round(value * 10) / 10}`;
}
