/** elfy, the second reader, in a browser: its Buffer is the package of that name, which the bundle brings along. */
import elfy from 'elfy';
import type { SecondParser } from '../../base/bytes/second-parser.js';

/** As src/base/platform/node.ts has it. */
export const secondParser: SecondParser = {
  constants: elfy.constants,
  parse(bytes, named) {
    const parser = new elfy.Parser();
    const whole = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    const header = parser.parseHeader(whole);
    const body = parser.parseBody(whole, header);
    return { header, body: named ? parser.resolveBody(body, header) : body };
  },
};
