// Holds the walls between the rooms of src: who may import whom, and who may use the platform. scripts/rooms.txt says it,
// one line a room. Type-only and dynamic imports count too. Run by `make lint`.
import { readdirSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const WHITELIST = 'scripts/rooms.txt';
/** Globals that are Node's and not every JavaScript's. globalThis would be a way around this list. */
export const PLATFORM_GLOBALS = [
  'Buffer',
  'process',
  'require',
  'setImmediate',
  'clearImmediate',
  '__dirname',
  '__filename',
  'global',
  'globalThis',
  'NodeJS',
];

const LINE = /^(?<name>[a-z0-9-]+)(?<platform> \(platform\))?: (?<files>[^<]+) <-(?<may>[^+]*)(?:\+(?<packages>.*))?$/;

/** The whitelist as data. Throws where it contradicts itself: a name without a line, a prefix with two, an arrow upward. */
export function parseRooms(text) {
  const rooms = new Map();
  const groups = new Map();
  const owners = new Map();
  const wrong = (line, what) => {
    throw new Error(`${WHITELIST}:${line}: ${what}`);
  };
  const named = (words, line) =>
    words.flatMap((word) => {
      if (groups.has(word)) return groups.get(word);
      return rooms.has(word) ? [word] : wrong(line, `"${word}" is no room of a line above`);
    });
  for (const [index, raw] of text.split('\n').entries()) {
    const line = index + 1;
    const [content] = raw.split('#');
    if (content.trim() === '') continue;
    const [, group, members] = /^group ([a-z0-9-]+): (.*)$/.exec(content) ?? [];
    if (group !== undefined) {
      groups.set(group, named(wordsOf(members), line));
      continue;
    }
    const [, from, to] = /^for now: ([a-z0-9-]+) <- (.*)$/.exec(content) ?? [];
    if (from !== undefined) {
      if (!/#\s*\S/.test(raw)) wrong(line, 'an arrow that has to go needs a reason');
      const order = [...rooms.keys()];
      for (const room of named(wordsOf(to), line)) {
        if (order.indexOf(room) >= order.indexOf(from)) wrong(line, `${room} does not stand above ${from}`);
        rooms.get(from).may.add(room);
      }
      continue;
    }
    const found = LINE.exec(content.trimEnd())?.groups ?? wrong(line, 'neither a room, a group nor an exception');
    const { name, platform, files, may, packages = '' } = found;
    if (rooms.has(name) || groups.has(name)) wrong(line, `"${name}" has a line already`);
    const allowed = named(wordsOf(may), line);
    for (const prefix of wordsOf(files)) {
      if (owners.has(prefix)) wrong(line, `"${prefix}" belongs to ${owners.get(prefix)} already`);
      owners.set(prefix, name);
    }
    rooms.set(name, {
      name,
      line,
      prefixes: wordsOf(files),
      platform: platform !== undefined,
      may: new Set([name, ...allowed]),
      packages: new Set(wordsOf(packages)),
    });
  }
  return [...rooms.values()];
}

function wordsOf(text) {
  return text.split(/\s+/).filter((word) => word !== '');
}

/** The room of a file, by its path within src; undefined when no line has it. */
export function roomOf(rooms, path) {
  let best;
  for (const room of rooms) {
    for (const prefix of room.prefixes) {
      const holds = prefix.endsWith('/') ? path.startsWith(prefix) : path === prefix;
      if (holds && prefix.length > (best?.length ?? 0)) best = { room, length: prefix.length };
    }
  }
  return best?.room;
}

/** What the files (paths within src) do that no line allows: `{ path, line, text }` each. */
export function checkFiles(rooms, files) {
  return files.flatMap(({ path, text }) => {
    const room = roomOf(rooms, path);
    if (room === undefined) return [{ path, line: 1, text: `no line of ${WHITELIST} has this file` }];
    return [...importBreaches(rooms, room, path, text), ...globalBreaches(room, path, text)];
  });
}

function* importBreaches(rooms, room, path, text) {
  const { importedFiles, referencedFiles, typeReferenceDirectives } = ts.preProcessFile(text, true, true);
  const rule = `${WHITELIST}:${room.line} (${room.name})`;
  for (const { fileName, pos } of [...referencedFiles, ...typeReferenceDirectives]) {
    yield { path, line: lineAt(text, pos), text: `refers to ${fileName}: only import tells ${rule} what is used` };
  }
  for (const { fileName, pos } of importedFiles) {
    const line = lineAt(text, pos);
    if (fileName.startsWith('node:')) {
      if (!room.platform) yield { path, line, text: `imports ${fileName}: ${rule} is no room of the platform` };
    } else if (!fileName.startsWith('.')) {
      if (!room.packages.has(fileName)) yield { path, line, text: `imports ${fileName}: ${rule} does not list it` };
    } else {
      const target = posix.join(posix.dirname(path), fileName).replace(/\.js$/, '.ts');
      const other = roomOf(rooms, target);
      if (other !== undefined && room.may.has(other.name)) continue;
      const where = other === undefined ? 'which is in no room' : `of ${other.name}`;
      yield { path, line, text: `imports ${target} ${where}: ${rule} does not list it` };
    }
  }
}

function lineAt(text, pos) {
  return text.slice(0, pos).split('\n').length;
}

const MAYBE_GLOBAL = new RegExp(`\\b(?:${PLATFORM_GLOBALS.join('|')})\\b|import\\s*[.(]`);

/** What no list of imports shows: globals of Node, and import() of a name that is worked out. */
function* globalBreaches(room, path, text) {
  if (!MAYBE_GLOBAL.test(text)) return;
  const file = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  const rule = `${WHITELIST}:${room.line} (${room.name})`;
  const found = [];
  const visit = (node) => {
    const why =
      isGlobal(node) && !room.platform ? 'is no room of the platform' : isOpen(node) && 'cannot tell what it is';
    if (why) found.push({ node, why });
    ts.forEachChild(node, visit);
  };
  visit(file);
  for (const { node, why } of found) {
    yield { path, line: lineAt(text, node.getStart()), text: `uses ${node.getText()}: ${rule} ${why}` };
  }
}

function isGlobal(node) {
  if (ts.isMetaProperty(node)) return node.keywordToken === ts.SyntaxKind.ImportKeyword;
  return ts.isIdentifier(node) && PLATFORM_GLOBALS.includes(node.text) && !isMember(node);
}

/** import() of anything but a plain string. */
function isOpen(node) {
  if (!ts.isCallExpression(node) || node.expression.kind !== ts.SyntaxKind.ImportKeyword) return false;
  return !node.arguments[0] || !ts.isStringLiteral(node.arguments[0]);
}

/** The name of a member, `x.process` or `{ process: 1 }`: that is no global. */
function isMember(node) {
  const { parent } = node;
  if (ts.isPropertyAccessExpression(parent)) return parent.name === node;
  if (ts.isQualifiedName(parent)) return parent.right === node;
  return (ts.isPropertyAssignment(parent) || ts.isPropertySignature(parent)) && parent.name === node;
}

/** Every file of src, and every prefix that names none. */
export function checkTree(root) {
  const rooms = parseRooms(readFileSync(`${root}/${WHITELIST}`, 'utf8'));
  const paths = readdirSync(`${root}/src`, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => posix.relative(`${root}/src`, `${parentPath}/${name}`))
    .sort();
  const files = paths.map((path) => ({ path, text: readFileSync(`${root}/src/${path}`, 'utf8') }));
  const breaches = checkFiles(rooms, files).map(({ path, line, text }) => `src/${path}:${line}: ${text}`);
  const idle = rooms.flatMap(({ prefixes, line }) =>
    prefixes
      .filter((prefix) => !prefix.startsWith('../') && !paths.some((path) => path.startsWith(prefix)))
      .map((prefix) => `${WHITELIST}:${line}: no file of src begins with ${prefix}`),
  );
  return [...breaches, ...idle];
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const breaches = checkTree(fileURLToPath(new URL('..', import.meta.url)));
  for (const breach of breaches) console.error(breach);
  if (breaches.length > 0) process.exitCode = 1;
}
