/** What is bent in Multiboot headers of both versions. */
import type { Bend } from './bends-elf.js';
import type { Dice } from './dice.js';
import { BASE, type Plan, type PlannedMultiboot, type PlannedTag } from './plan.js';

function onHeader(change: (header: PlannedMultiboot, roll: Dice, plan: Plan) => void): Bend {
  return {
    run(plan, roll) {
      if (plan.multiboot !== undefined) change(plan.multiboot, roll, plan);
    },
  };
}

/** The header's address, if the file is loaded as one piece with its code at BASE. */
const addressOfHeader = (plan: Plan, { at }: PlannedMultiboot): number => Number(BASE) - plan.codeAt + at;
/** Where the file's first byte is then. */
const addressOfFile = (plan: Plan): number => Number(BASE) - plan.codeAt;

function addressFields(header: PlannedMultiboot, plan: Plan): number[] {
  return [addressOfHeader(plan, header), addressOfFile(plan), 0, 0, Number(BASE) + 0x200];
}

/** Amounts by which an address is off. */
const wrong = (roll: Dice): number => roll.of(-0x1000, -8, -1, 1, 8, 0x1000, 0x10_0000);

export const MB1_BENDS: Readonly<Record<string, Bend>> = {
  'flag-required': onHeader((header, roll) => {
    header.flags |= roll.of(1, 2, 3, 4, 7, 8, 0x10, 0x20, 0x4000, 0x8000);
    if ((header.flags & 4) !== 0) header.fields = [0, 0, 0, 0, 0, roll.of(0, 1, 2), 640, 480, roll.of(0, 16, 32)];
  }),
  'flag-optional': onHeader((header, roll) => {
    header.flags |= roll.of(0x20000, 0x40000, 0x8000_0000, 0x7ffe_0000) >>> 0;
  }),
  checksum: onHeader((header, roll) => {
    header.sumOff = roll.of(1, -1, 0x10000);
  }),
  place: onHeader((header, roll) => {
    header.at = roll.of(0x302, 0x301, 0x304, 0x308, 0x1000, 8132, 8136, 8138, 8140, 8144, 8148, 8176, 8180, 8184, 8192);
  }),
  'by-addresses': onHeader((header, _roll, plan) => {
    header.flags |= 0x10000;
    header.fields = addressFields(header, plan);
  }),
  'address-off': onHeader((header, roll, plan) => {
    header.flags |= 0x10000;
    header.fields = addressFields(header, plan);
    const which = roll.below(5);
    if (which === 2 || which === 3)
      header.fields[which] = Number(BASE) + roll.of(0, -0x4000, 0x1800, 0x2000, 0x10_0000, 0x1000_0000);
    else header.fields[which] = ((header.fields[which] ?? 0) + wrong(roll)) >>> 0;
  }),
  'addresses-of-nothing': onHeader((header, roll, plan) => {
    header.flags |= 0x10000;
    header.fields = addressFields(header, plan);
    header.fields[roll.below(5)] = roll.of(0, 0xffff_ffff, 0x8000_0000, 0x1000, 0xf0000);
  }),
  'addresses-without-flag': onHeader((header, _roll, plan) => {
    header.fields = addressFields(header, plan);
  }),
};

const tag = (type: number, words: number[], more: Partial<PlannedTag> = {}): PlannedTag => ({
  type,
  flags: 0,
  size: 8 + 4 * words.length,
  words,
  padded: true,
  ...more,
});

/** A tag of any type with a body that could be its own. */
function anyTag(roll: Dice, header: PlannedMultiboot, plan: Plan): PlannedTag {
  const flags = roll.of(0, 0, 1, 2, 0xffff);
  return roll.of(
    tag(1, [roll.of(1, 4, 6, 14, 21, 22, 99, 0)], { flags }),
    tag(1, [6, 8, roll.of(9, 20, 22, 0xffff)], { flags }),
    tag(1, [], { flags }),
    tag(2, [addressOfHeader(plan, header), addressOfFile(plan), 0, 0], { flags }),
    tag(3, [Number(BASE) + roll.of(0x200, 0, 0x40, 0x5000)], { flags }),
    tag(4, [roll.of(0, 1, 2, 3)], { flags }),
    tag(5, [640, 480, roll.of(0, 16, 32)], { flags }),
    tag(6, [], { flags }),
    tag(7, [], { flags }),
    tag(8, [Number(BASE)], { flags }),
    tag(9, [Number(BASE)], { flags }),
    tag(10, [Number(BASE), 0x1000_0000, roll.of(0x1000, 0x20_0000, 0, 1), roll.of(0, 1, 2)], { flags }),
    tag(roll.of(11, 12, 0x77, 0xffff), [0], { flags }),
  );
}

const firstTag = ({ tags }: PlannedMultiboot): PlannedTag | undefined => tags[0];

export const MB2_BENDS: Readonly<Record<string, Bend>> = {
  tag: onHeader((header, roll, plan) => {
    header.tags.unshift(anyTag(roll, header, plan));
  }),
  'two-tags': onHeader((header, roll, plan) => {
    header.tags.unshift(anyTag(roll, header, plan), anyTag(roll, header, plan));
  }),
  'tag-not-padded': onHeader((header, roll, plan) => {
    header.tags.unshift({ ...anyTag(roll, header, plan), padded: false });
  }),
  'tag-size': onHeader((header, roll, plan) => {
    const made = anyTag(roll, header, plan);
    header.tags.unshift({ ...made, size: roll.of(4, 7, 8, 9, 12, 16, made.size + 1, made.size + 8, 0x4000) });
  }),
  'no-end-tag': onHeader((header, roll, plan) => {
    header.tags = roll.percent(50) ? [] : [anyTag(roll, header, plan)];
  }),
  'end-tag-first': onHeader((header, roll, plan) => {
    header.tags.push(anyTag(roll, header, plan));
  }),
  'end-tag-size': onHeader((header, roll) => {
    const end = firstTag(header);
    if (end !== undefined) end.size = roll.of(0, 1, 4, 12, 16, 0x100);
  }),
  'header-length': onHeader((header, roll) => {
    header.lengthOff = roll.of(-24, -16, -8, -4, 4, 8, 0x100, 0x7000, 0x10_0000);
  }),
  checksum: onHeader((header, roll) => {
    header.sumOff = roll.of(1, -1, 0x10000);
  }),
  architecture: onHeader((header, roll) => {
    header.architecture = roll.of(1, 2, 4, 0xffff_ffff);
  }),
  place: onHeader((header, roll) => {
    header.at = roll.of(
      0x302,
      0x304,
      0x308,
      0x1000,
      0x1ffc,
      0x2000,
      0x7f00,
      32728,
      32736,
      32740,
      32744,
      32752,
      32760,
      32768,
    );
  }),
  'by-addresses': onHeader((header, roll, plan) => {
    const addresses = tag(2, [addressOfHeader(plan, header), addressOfFile(plan), 0, 0]);
    const entry = tag(3, [Number(BASE) + 0x200]);
    header.tags.unshift(...roll.of([addresses, entry], [entry, addresses], [addresses]));
  }),
  'address-off': onHeader((header, roll, plan) => {
    const words = [addressOfHeader(plan, header), addressOfFile(plan), 0, 0];
    const which = roll.below(4);
    words[which] =
      which < 2
        ? ((words[which] ?? 0) + wrong(roll)) >>> 0
        : Number(BASE) + roll.of(0, 0x1800, 0x2000, 0x10_0000, -0x9000);
    header.tags.unshift(tag(2, words), tag(3, [Number(BASE) + 0x200]));
  }),
  relocatable: onHeader((header, roll, plan) => {
    const least = roll.of(0, 0x10_0000, 0x100_0000, 0x2000_0000);
    const most = roll.of(0x1000_0000, 0xffff_ffff, 0x30_0000, least);
    header.tags.unshift(tag(10, [least, most, roll.of(1, 0x1000, 0x20_0000, 0x100_0000), roll.of(0, 1, 2)]));
    if (roll.percent(30)) plan.header.e_type = 3n;
  }),
};
