// Compiled code of the command's parts, so that V8 need not compile them at each start. It belongs to one version of V8,
// one processor architecture and one content; scripts/code-cache.mjs makes it for the Node that builds, in dist/cli/code,
// and the first run on any other Node makes it in the user's cache folder.
//
// Compiled code is run as it is, so it is taken only from a folder and a file that are the user's own and that nobody else
// can write to. Whatever is wrong, the command runs the same without.
const fs = require('node:fs');
const { join } = require('node:path');
const { Script } = require('node:vm');

/** Code is kept of what these run of a part, each for itself; the other commands share theirs. */
const OFTEN = ['notes', 'patch', 'verify'];
/** Options of runs that do little of a command's work. */
const PARTIAL = new Set(['-h', '--help', '-V', '--version', '--check', '--dry-run']);
/** For other users: group and others may not write. */
const FOREIGN_WRITE = 0o022;
const STICKY = 0o1000;
const LINKS_REFUSED = fs.constants.O_NOFOLLOW ?? 0;
/** Files of bundles and versions of V8 that have gone are removed when they are this old. */
const KEPT_MS = 30 * 24 * 3600 * 1000;

/** The value of a part, which begins with `//HASH`. `home` is the folder of the parts. */
function compile(home, part, source, command) {
  const filename = join(home, `${part}.js`);
  const hash = /^\/\/([0-9a-f]{32})\n/.exec(source)?.[1];
  const use = OFTEN.includes(command) ? command : 'other';
  const name = `${part}-${use}-${process.versions.v8}-${process.arch}-${hash}${flagsMark()}`;
  const folder = userFolder();
  // The user's first: it is there only where V8 does not take what was shipped.
  const cachedData =
    (folder && isOwn(fs.lstatSync, folder) ? read(join(folder, name), isOwnFile) : undefined) ??
    read(join(home, 'code', name), () => true);
  const script = new Script(source, { filename, cachedData });
  if (folder && hash !== undefined && (cachedData === undefined || script.cachedDataRejected)) {
    // When the run is over, V8 knows what is needed. A run that did not do its work would leave the next ones to compile it.
    process.on('exit', (status) => {
      if (status <= 1 && !process.argv.some((word) => PARTIAL.has(word))) keep(folder, name, script);
    });
  }
  return script.runInThisContext();
}

/** V8 takes compiled code under the flags alone under which it was made: runs with other ones do not take turns at a file. */
function flagsMark() {
  const flags = [...process.execArgv, process.env.NODE_OPTIONS ?? ''].join(' ').trim();
  if (flags === '') return '';
  // FNV-1a: a name is wanted, no proof.
  let mark = 0x811c9dc5;
  for (let i = 0; i < flags.length; i++) mark = Math.imul(mark ^ flags.charCodeAt(i), 0x01000193) >>> 0;
  return `-${mark.toString(16)}`;
}

/**
 * XEN_ELFPATCH_CODE_CACHE, where it is set: a folder, or nothing for none. Undefined where there is none: no home, or a system
 * on which nobody can tell whose a file is. Relative names are ignored, as the XDG Base Directory Specification wants it.
 */
function userFolder() {
  const { XEN_ELFPATCH_CODE_CACHE: told, XDG_CACHE_HOME, HOME = '' } = process.env;
  if (process.geteuid === undefined) return undefined;
  if (told !== undefined) return told.startsWith('/') ? told : undefined;
  const base = [XDG_CACHE_HOME, join(HOME, '.cache')].find((folder) => folder?.startsWith('/'));
  return base && join(base, 'xen-elfpatch/code');
}

/** Is what `stat` tells of `file` a thing of the user's that nobody else can change? */
function isOwn(stat, file) {
  try {
    const { uid, mode } = stat(file);
    return uid === process.geteuid() && (mode & FOREIGN_WRITE) === 0;
  } catch {
    return false;
  }
}

function isOwnFile(fd) {
  return isOwn(fs.fstatSync, fd) && fs.fstatSync(fd).isFile();
}

/** The bytes of a file that `isTrusted`; undefined where there are none. */
function read(file, isTrusted) {
  let fd;
  try {
    fd = fs.openSync(file, fs.constants.O_RDONLY | LINKS_REFUSED);
    return isTrusted(fd) ? fs.readFileSync(fd) : undefined;
  } catch {
    return undefined;
  } finally {
    if (fd !== undefined) fs.closeSync(fd);
  }
}

/** Stores compiled code whole or not at all. */
function keep(folder, name, script) {
  const temporary = join(folder, `${name}.${process.pid}.tmp`);
  let fd;
  try {
    makeFolder(folder);
    if (!isOwn(fs.lstatSync, folder)) return;
    fd = fs.openSync(temporary, 'wx', 0o600);
  } catch {
    // A home that cannot be written: no compiled code.
    return;
  }
  try {
    fs.writeFileSync(fd, script.createCachedData());
    // V8 does not look at every byte; after a loss of power the name must not stand for half of them.
    fs.fsyncSync(fd);
    fs.renameSync(temporary, join(folder, name));
    removeOld(folder);
  } catch {
    fs.rmSync(temporary, { force: true });
  } finally {
    fs.closeSync(fd);
  }
}

/**
 * One by one: Node's own recursion does not end where a folder is there that takes no folders (/proc). Nothing is made in
 * what is another user's, whose home sudo may have left in place, unless it is a common folder as /tmp.
 */
function makeFolder(folder) {
  for (const path of [join(folder, '../..'), join(folder, '..'), folder]) {
    try {
      const { uid, mode } = fs.statSync(join(path, '..'));
      if (uid === process.geteuid() || (mode & STICKY) !== 0) fs.mkdirSync(path, { mode: 0o700 });
    } catch {
      // There already, or the next call tells.
    }
  }
}

function removeOld(folder) {
  const now = Date.now();
  for (const file of fs.readdirSync(folder).map((name) => join(folder, name))) {
    if (now - fs.lstatSync(file).mtimeMs > KEPT_MS) fs.rmSync(file, { force: true });
  }
}

module.exports = { compile };
