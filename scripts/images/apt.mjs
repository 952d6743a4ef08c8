// Downloads Debian packages without touching the system: no root, no foreign architecture added, no source list changed.
// apt gets a folder of its own with a copy of the system's source lists, once per architecture, so that a fault in one
// architecture's lists cannot take another's away.
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { run, say } from './run.mjs';

const LISTS_STAY_GOOD_MS = 6 * 60 * 60 * 1000;
const ATTEMPTS = 3;

/** deb822 stanzas (`Types: deb`): sources too, and no limit on the architecture. */
function withSourcesDeb822(text) {
  return text
    .split('\n')
    .filter((line) => !/^Architectures:/i.test(line))
    .map((line) => (/^Types:/i.test(line) ? 'Types: deb deb-src' : line))
    .join('\n');
}

/** One-line lists (`deb [options] URI suite component...`), likewise. */
function withSourcesOneLine(text) {
  const lines = text.split('\n').filter((line) => /^deb(-src)?\s/.test(line));
  const open = lines.map((line) => line.replace(/\barch=\S+?(?=[\s\]])/, ''));
  return [...new Set(open.flatMap((line) => [line.replace(/^deb-src/, 'deb'), line.replace(/^deb(-src)?/, 'deb-src')]))]
    .concat('')
    .join('\n');
}

/** What the system calls its own release: `bookworm`. */
function ownRelease() {
  const name = /^VERSION_CODENAME=(.+)$/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1];
  if (name === undefined) throw new Error('no VERSION_CODENAME in /etc/os-release: is this Debian?');
  return name.replaceAll('"', '');
}

/**
 * The same archives with another release's suites in place of the system's own. Lists that do not name the system's release
 * belong to somebody else and are left out; so are the add-ons that an unstable release does not have.
 */
function forRelease(text, release) {
  const own = ownRelease();
  const suite = new RegExp(`(?<=\\s)${own}(-[a-z]+)?(?=\\s|$)`, 'g');
  const units = text.includes('Types:') ? text.split(/\n\s*\n/).map((stanza) => `${stanza}\n\n`) : text.split(/^/m);
  return units
    .map((unit) =>
      unit.replace(suite, (_, part = '') => (release === 'sid' && part !== '' ? '' : `@${release}${part}`)),
    )
    .filter((unit) => unit.includes(`@${release}`))
    .map((unit) => unit.replaceAll(`@${release}`, release))
    .join('');
}

function copySourceLists(into, release) {
  mkdirSync(into, { recursive: true });
  const parts = '/etc/apt/sources.list.d';
  const lists = ['/etc/apt/sources.list', ...(existsSync(parts) ? readdirSync(parts).map((n) => join(parts, n)) : [])];
  let copied = 0;
  for (const [index, list] of lists.entries()) {
    const kind = /\.(list|sources)$/.exec(list)?.[1];
    if (kind === undefined || !existsSync(list)) continue;
    const found = readFileSync(list, 'utf8');
    const text = release === undefined || release === ownRelease() ? found : forRelease(found, release);
    if (text.trim() === '') continue;
    writeFileSync(join(into, `${index}.${kind}`), kind === 'list' ? withSourcesOneLine(text) : withSourcesDeb822(text));
    copied++;
  }
  if (copied === 0) throw new Error('no apt source lists under /etc/apt: is this Debian?');
}

/** An apt of our own for one Debian architecture, and release where it is not the system's; its state under `folder`. */
export class Apt {
  #folder;
  #env;
  #updated = false;

  constructor(folder, architecture, release) {
    this.#folder = folder;
    for (const part of ['state/lists/partial', 'cache/archives/partial']) {
      mkdirSync(join(folder, part), { recursive: true });
    }
    rmSync(join(folder, 'sources'), { recursive: true, force: true });
    copySourceLists(join(folder, 'sources'), release);
    writeFileSync(join(folder, 'status'), '');
    const config = join(folder, 'apt.conf');
    const asRoot = process.getuid?.() === 0;
    writeFileSync(
      config,
      `${process.env.APT_CONFIG ? `#include "${process.env.APT_CONFIG}";\n` : ''}APT::Architecture "${architecture}";
#clear APT::Architectures;
APT::Architectures { "${architecture}"; };
Dir::State "${join(folder, 'state')}";
Dir::State::status "${join(folder, 'status')}";
Dir::Cache "${join(folder, 'cache')}";
Dir::Etc::sourcelist "/dev/null";
Dir::Etc::sourceparts "${join(folder, 'sources')}";
// A name that is not there must be an error: as a pattern it could match hundreds of packages.
APT::Cmd::Pattern-Only "true";
Acquire::Languages "none";
Acquire::Retries "3";
${asRoot ? 'APT::Sandbox::User "root"; // the cache need not be readable by _apt\n' : ''}`,
    );
    this.#env = { APT_CONFIG: config };
  }

  /** Fetches package lists unless they are fresh; a list that cannot be had is a warning, a missing package the error. */
  #update(force) {
    if (this.#updated) return;
    const stamp = join(this.#folder, 'updated');
    const fresh = existsSync(stamp) && Date.now() - statSync(stamp).mtimeMs < LISTS_STAY_GOOD_MS;
    if (fresh && !force) return;
    for (let attempt = 1; ; attempt++) {
      try {
        run('apt-get', ['update', '-q', '-o', 'APT::Update::Error-Mode=any'], { env: this.#env });
        writeFileSync(stamp, '');
        break;
      } catch (error) {
        if (attempt < ATTEMPTS) continue;
        say(`warning: not all package lists could be had, going on with the rest: ${error.message}`);
        break;
      }
    }
    this.#updated = true;
  }

  /** Runs `work`; when it fails on lists that may be out of date, refreshes them and tries once more. */
  #withLists(work) {
    this.#update(false);
    try {
      return work();
    } catch (error) {
      if (this.#updated) throw error;
      this.#update(true);
      return work();
    }
  }

  /** The package of that pattern that `metapackage` depends on: `linux-image-amd64` -> `linux-image-6.1.0-1-amd64`. */
  dependency(metapackage, pattern) {
    return this.#withLists(() => {
      const out = `${run('apt-cache', ['depends', '--important', metapackage], { env: this.#env })}`;
      const names = [...out.matchAll(/^\s*\|?Depends: (\S+)$/gm)].map((match) => match[1].replace(/:\w+$/, ''));
      const name = names.find((candidate) => pattern.test(candidate));
      if (name === undefined) throw new Error(`${metapackage} depends on nothing like ${pattern}`);
      return name;
    });
  }

  /** Downloads a binary package into `folder`; returns the path of the .deb. */
  download(name, folder) {
    return this.#withLists(() => {
      const into = mkdtempSync(join(folder, 'deb-'));
      run('apt-get', ['download', '-q', name], { env: this.#env, cwd: into });
      const deb = readdirSync(into).find((file) => file.endsWith('.deb'));
      if (deb === undefined) throw new Error(`apt-get download ${name} left no .deb`);
      return join(into, deb);
    });
  }

  /** The names of these packages and of all that they depend on, as on a machine that has nothing. */
  closure(names) {
    return this.#withLists(() => {
      const args = ['install', '--simulate', '--no-install-recommends', '-y', ...names];
      const out = `${run('apt-get', args, { env: this.#env })}`;
      return [...out.matchAll(/^Inst (\S+)/gm)].map(([, name]) => name.replace(/:\w+$/, ''));
    });
  }

  /** Downloads binary packages into a folder of their own below `folder`; returns the paths of the .deb files. */
  downloadAll(names, folder) {
    return this.#withLists(() => {
      const into = mkdtempSync(join(folder, 'debs-'));
      run('apt-get', ['download', '-q', ...names], { env: this.#env, cwd: into });
      return readdirSync(into)
        .filter((file) => file.endsWith('.deb'))
        .map((file) => join(into, file));
    });
  }

  /** Downloads a source package into `folder`, unpacking nothing; returns its version and the upstream tarball. */
  downloadSource(name, folder) {
    return this.#withLists(() => {
      const into = mkdtempSync(join(folder, 'src-'));
      const args = ['source', '-q', '--only-source', '--download-only', name];
      run('apt-get', args, { env: this.#env, cwd: into });
      const files = readdirSync(into);
      const dsc = files.find((file) => file.endsWith('.dsc'));
      const tarball = files.find((file) => /\.orig\.tar\.\w+$/.test(file)) ?? files.find((f) => /\.tar\.\w+$/.test(f));
      if (dsc === undefined || tarball === undefined) throw new Error(`apt-get source ${name} left ${files.join(' ')}`);
      const version = /^Version: (.+)$/m.exec(readFileSync(join(into, dsc), 'utf8'))?.[1] ?? 'unknown';
      return { version, tarball: join(into, tarball) };
    });
  }
}
