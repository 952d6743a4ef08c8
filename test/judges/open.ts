/**
 * Where a real loader and a verdict still differ, image by image, with what a rule would be about. The tables have the answers; each
 * line goes when its rule is written.
 */

const RELOCATED = 'a relocatable kernel is moved, and its entry with it; min and max can leave no place';

/** The real GRUB. */
export const GRUB_OPEN: Readonly<Record<string, string>> = {
  'mb2:21': RELOCATED,
  'mb2:68': RELOCATED,
  'mb2:80': RELOCATED,
  'mb2:50': 'a PT_LOAD where the machine has no memory',
  'mb2:55': 'p_filesz above p_memsz overwrites what follows',
  'mb2:85': 'a tag that 2.06 takes and does not survive',
};

const MEMORY = 'hangs on the memory of the machine';
const WRONG = 'it loads, and then its data or its code is not what was linked';

/** Xen with a kernel for dom0. */
export const DOM0_OPEN: Readonly<Record<string, string>> = {
  'dom0-pv:3': MEMORY,
  'dom0-pv:5': MEMORY,
  'dom0-pv:7': WRONG,
  'dom0-pv:8': MEMORY,
  'dom0-pv:9': MEMORY,
  'dom0-pv:10': MEMORY,
  'dom0-pv:11': WRONG,
  'dom0-pv:12': MEMORY,
  'dom0-pv:13': WRONG,
  'dom0-pv:14': WRONG,
  'dom0-pv:15': WRONG,
  'dom0-pv:16': WRONG,
  'dom0-pv:17': WRONG,
  'dom0-pv:20': WRONG,
  'dom0-pv:21': WRONG,
  'dom0-pv:22': WRONG,
  'dom0-pv:23': WRONG,
  'dom0-pv:24': WRONG,
  'dom0-pv:25': WRONG,
  'dom0-pv:30': WRONG,
  'dom0-pv:33': MEMORY,
  'dom0-pv:34': MEMORY,
  'dom0-pv:35': MEMORY,
  'dom0-pv:36': MEMORY,
  'dom0-pv:41': WRONG,
  'dom0-pv:44': WRONG,
  'dom0-pvh:3': MEMORY,
  'dom0-pvh:4': MEMORY,
  'dom0-pvh:5': WRONG,
  'dom0-pvh:6': MEMORY,
  'dom0-pvh:7': MEMORY,
  'dom0-pvh:8': MEMORY,
  'dom0-pvh:9': WRONG,
  'dom0-pvh:10': WRONG,
  'dom0-pvh:11': WRONG,
  'dom0-pvh:12': WRONG,
  'dom0-pvh:14': MEMORY,
  'dom0-pvh:15': MEMORY,
  'dom0-pvh:16': WRONG,
  'dom0-pvh:17': MEMORY,
};
