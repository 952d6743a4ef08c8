/**
 * The types of every JSON document that the command prints or writes, as schema/ describes them: made of it by
 * scripts/document-types.mjs, not by hand. An address, an offset or a size is a string in hexadecimal.
 */

/** xen-elfpatch/batch/1: What a command prints with --json for several images, or for what holds several: one entry for each image, in the order in which they were named, folders by name. notes has a document of its own. */
export type BatchDocument = {
  readonly schema: 'xen-elfpatch/batch/1';
  readonly command: 'verify' | 'fix' | 'stamp' | 'patch' | 'diff';
  readonly images: readonly BatchImage[];
  /** The exit status: that of the worst image; 1 where no image was found. */
  readonly exit: 0 | 1 | 2 | 3;
  readonly counts: BatchCounts;
};

/** A part of BatchDocument. */
export type BatchImage = {
  /** As it was named; within a folder its path, within an archive ARCHIVE:MEMBER. */
  readonly file: string;
  /** What the command ends with on this image alone. Of 1 and 2 nothing was written. */
  readonly exit: 0 | 1 | 2 | 3;
  readonly result?: BatchResult;
  /** In place of a result. */
  readonly errors?: readonly ErrorProblem[];
};

/** The document that the command prints for this image alone. */
export type BatchResult = VerifyDocument | FixPart | StampPart | PatchDocument | DiffDocument;

/** A part of BatchDocument. */
export type BatchCounts = {
  /** Images with exit 0. */
  readonly good: number;
  /** Images with exit 1. */
  readonly no: number;
  /** Images with exit 2 or 3. */
  readonly failed: number;
  /** Files of folders and archives that are no images. */
  readonly passedOver: number;
  /** Names of files that were there already, by this name or by a link. */
  readonly duplicates: number;
};

/** xen-elfpatch/batch-image/1: A line of what a command prints with --json-lines: one image, as soon as it is ready. */
export type BatchImageDocument = {
  readonly schema: 'xen-elfpatch/batch-image/1';
  readonly command: 'notes' | 'verify' | 'fix' | 'stamp' | 'patch' | 'diff';
  readonly file: NonNullable<BatchImage['file']>;
  readonly exit: NonNullable<BatchImage['exit']>;
  /** The document that the command prints for this image alone. */
  readonly result?: BatchResult | NotesDocument;
  readonly errors?: NonNullable<BatchImage['errors']>;
};

/** xen-elfpatch/check-record/1: What verify --check-record --json prints. */
export type CheckRecordDocument = {
  readonly schema: 'xen-elfpatch/check-record/1';
  readonly file: string;
  readonly record: string;
  /** What the exit status says. */
  readonly ok: boolean;
  /** What the image is in the record: its result, what that was made from, or neither. */
  readonly answer: 'output' | 'input' | 'other';
};

/** The container member of xen-elfpatch/notes/1, /verify/1 and /patch/1: The gzip file, bzImage or bare compressed stream that an ELF was found in. */
export type ContainerPart = {
  readonly kind: 'gzip' | 'bzimage' | 'stream';
  readonly format: 'gzip' | 'bzip2' | 'xz' | 'lzma' | 'lzo' | 'lz4' | 'zstd' | 'stored';
  readonly offset: ErrorHex;
  readonly size: ErrorHex;
  readonly unpackedSize: ErrorHex;
  /** Without the relocation table that Linux puts behind its ELF. */
  readonly elfSize: ErrorHex;
  /** gzip: what follows the first member. */
  readonly behind?: {
    readonly kind: 'nothing' | 'member' | 'other';
    readonly size: ErrorHex;
  };
  readonly protocol?: string;
  /** The payload stands behind the kernel. */
  readonly attached?: boolean;
  readonly signed?: boolean;
  /** Bytes between the stream and its size word. */
  readonly spare?: ErrorHex;
  /** stream: the file ends with the unpacked size, without which Xen cannot unpack it. */
  readonly sizeWord?: boolean;
  /** What some reader of this payload cannot take. */
  readonly demands: readonly {
    readonly reader: 'hypervisor' | 'toolstack' | 'linux';
    /** The first release of that reader that takes it. */
    readonly takenSince: string | null;
    readonly what: string;
    /** The message of that reader, where it is known. */
    readonly says: string | null;
  }[];
  readonly warnings: readonly string[];
  /** patch: how the result is made. */
  readonly way?: 'attach' | 'replace' | 'extract' | 'detach' | 'strip' | 'gzip';
  readonly summary?: string;
  readonly fileSize?: ErrorHex;
  readonly ranges?: readonly {
    readonly offset: ErrorHex;
    readonly size: ErrorHex;
  }[];
};

/** xen-elfpatch/diff/1: What diff --json prints. */
export type DiffDocument = {
  readonly schema: 'xen-elfpatch/diff/1';
  readonly first: string;
  readonly second: string;
  /** Two PE images: bytes in memory are told by their RVA. */
  readonly format?: 'pe';
  readonly same: boolean;
  /** Nothing but notes and headers differs; of PE images: nothing in memory but Multiboot headers and file pointers. */
  readonly onlyNotes: boolean;
  readonly notes: readonly {
    readonly kind: 'gone' | 'new' | 'changed' | 'moved';
    readonly owner: string;
    readonly type: number;
    readonly name: null | string;
    readonly before: null | {
      readonly bytes: string;
      readonly offset: string;
      readonly places: readonly string[];
    };
    readonly after: null | {
      readonly bytes: string;
      readonly offset: string;
      readonly places: readonly string[];
    };
  }[];
  readonly header: readonly {
    readonly field: string;
    readonly before: string;
    readonly after: string;
    readonly meaning: string;
  }[];
  /** Of PE images: what the Multiboot2 header says. */
  readonly multiboot2?: readonly {
    readonly field: string;
    readonly before: string;
    readonly after: string;
    readonly meaning: string;
  }[];
  readonly segments: readonly {
    readonly before: null | number;
    readonly after: null | number;
    readonly name: string;
    readonly fields: readonly {
      readonly field: string;
      readonly before: string;
      readonly after: string;
      readonly meaning: string;
    }[];
  }[];
  readonly sections: readonly {
    readonly before: null | number;
    readonly after: null | number;
    readonly name: string;
    readonly fields: readonly {
      readonly field: string;
      readonly before: string;
      readonly after: string;
      readonly meaning: string;
    }[];
  }[];
  readonly shift: null | {
    readonly at: string;
    readonly by: string;
  };
  readonly bytes: {
    readonly ranges: number;
    readonly size: string;
    readonly groups: readonly {
      readonly part: string;
      readonly kind: 'changed' | 'only in the first' | 'only in the second';
      readonly loaded: boolean;
      readonly ranges: number;
      readonly size: string;
      readonly first: string;
    }[];
    /** The first thousand ranges. */
    readonly first: readonly {
      readonly range: string;
      readonly kind: 'changed' | 'only in the first' | 'only in the second';
      readonly part: string;
    }[];
  };
};

/** xen-elfpatch/error/1: What any command prints on standard output with --json when it could not do its work. The exit status is the same as without --json. */
export type ErrorDocument = {
  readonly schema: 'xen-elfpatch/error/1';
  /** Absent when the command line names no command. */
  readonly command?: string;
  /** The exit status. 3: the result is written and right, but its report could not be delivered. */
  readonly exit: 1 | 2 | 3;
  /** More than one where a command takes several images and each of them failed. */
  readonly errors: readonly ErrorProblem[];
};

/** A part of ErrorDocument. */
export type ErrorProblem = {
  /** Stable; xen-elfpatch explain ID says what it means. */
  readonly id: string;
  readonly file?: string;
  readonly offset?: ErrorHex;
  readonly part?: string;
  /** What was found, what was wanted. */
  readonly text: string;
  readonly hint?: string;
  /** The whole line that standard error gets. */
  readonly message: string;
};

/** A part of ErrorDocument. */
export type ErrorHex = string;

/** xen-elfpatch/explain/1: What explain --json prints: one topic; without a name, the index. */
export type ExplainDocument = {
  readonly schema: 'xen-elfpatch/explain/1';
  readonly title: string;
  /** Further members depend on the kind. */
  readonly topic: {
    readonly kind: string;
    readonly name: string;
    readonly title: string;
    readonly blocks?: readonly ExplainBlock[];
    readonly [name: string]: unknown;
  };
};

/** A part of ExplainDocument. */
export type ExplainBlock =
  | {
      readonly kind: 'heading' | 'text';
      readonly text: string;
    }
  | {
      readonly kind: 'list';
      readonly items: readonly string[];
    }
  | {
      readonly kind: 'code';
      readonly lines: readonly string[];
    }
  | {
      readonly kind: 'table';
      readonly head?: readonly string[];
      readonly rows: readonly (readonly string[])[];
    };

/** xen-elfpatch/fix/1: What fix --json prints: a diagnosis, with the plan of the edit where one is written or --dry-run asks for it. */
export type FixPart =
  | {
      readonly schema: 'xen-elfpatch/fix/1';
      readonly file: NonNullable<PatchDocument['file']>;
      readonly changed: NonNullable<PatchDocument['changed']>;
      readonly written: NonNullable<PatchDocument['written']>;
      readonly placement: NonNullable<PatchDocument['placement']>;
      readonly summary: NonNullable<PatchDocument['summary']>;
      readonly section: NonNullable<PatchDocument['section']>;
      readonly loaded: NonNullable<PatchDocument['loaded']>;
      readonly notes: NonNullable<PatchDocument['notes']>;
      readonly noteRange: NonNullable<PatchDocument['noteRange']>;
      readonly fileSize: NonNullable<PatchDocument['fileSize']>;
      readonly ranges: NonNullable<PatchDocument['ranges']>;
      readonly shift: NonNullable<PatchDocument['shift']>;
      readonly refused: NonNullable<PatchDocument['refused']>;
      readonly survives: NonNullable<PatchDocument['survives']>;
      readonly container?: NonNullable<PatchDocument['container']>;
      readonly warnings: NonNullable<PatchDocument['warnings']>;
      /** Do all loaders take the result? */
      readonly cured: boolean;
      readonly diagnoses: readonly {
        /** The name by which it was asked for, else that of its row. */
        readonly loader: string;
        /** The program, as --for takes it. */
        readonly row?: string;
        readonly before: {
          readonly outcome: 'accepted' | 'with-warnings' | 'refused' | 'crash' | 'other-path' | 'undecided';
          readonly rule: null | string;
          readonly message: null | string;
          readonly reason: null | string;
          readonly cure: null | string;
        };
        readonly after: {
          readonly outcome: 'accepted' | 'with-warnings' | 'refused' | 'crash' | 'other-path' | 'undecided';
          readonly rule: null | string;
          readonly message: null | string;
          readonly reason: null | string;
          readonly cure: null | string;
        };
        /** Where the loader does not take the result: what is in the way, or what only the builder can tell. */
        readonly advice: null | string;
      }[];
      readonly steps: readonly {
        readonly reason: string;
        readonly edit: readonly string[];
      }[];
      readonly notPossible: readonly string[];
    }
  | {
      readonly schema: 'xen-elfpatch/fix/1';
      readonly file: string;
      /** Of a PE image that was written, or whose layout --dry-run shows. */
      readonly format?: 'pe';
      readonly changed: boolean;
      /** Null when nothing was to be written. */
      readonly written?: null | {
        readonly output: string;
      };
      /** Of the file. */
      readonly size?: {
        readonly before: LinearizeHex;
        readonly after: LinearizeHex;
      };
      /** Do all loaders take the result? */
      readonly cured: boolean;
      readonly diagnoses: readonly {
        /** The name by which it was asked for, else that of its row. */
        readonly loader: string;
        /** The program, as --for takes it. */
        readonly row?: string;
        readonly before: {
          readonly outcome: 'accepted' | 'with-warnings' | 'refused' | 'crash' | 'other-path' | 'undecided';
          readonly rule: null | string;
          readonly message: null | string;
          readonly reason: null | string;
          readonly cure: null | string;
        };
        readonly after: {
          readonly outcome: 'accepted' | 'with-warnings' | 'refused' | 'crash' | 'other-path' | 'undecided';
          readonly rule: null | string;
          readonly message: null | string;
          readonly reason: null | string;
          readonly cure: null | string;
        };
        /** Where the loader does not take the result: what is in the way, or what only the builder can tell. */
        readonly advice: null | string;
      }[];
      readonly steps: readonly {
        readonly reason: string;
        readonly edit: readonly string[];
      }[];
      readonly notPossible: readonly string[];
    };

/** xen-elfpatch/layout/1: What layout --json prints. */
export type LayoutDocument = {
  readonly schema: 'xen-elfpatch/layout/1';
  readonly file: string;
  /** A PE image: bands and memory are those of its sections. */
  readonly format?: 'pe';
  readonly size: string;
  readonly entry: string;
  readonly bands: readonly {
    readonly start: string;
    readonly end: string;
    readonly kind: 'header' | 'table' | 'notes' | 'load' | 'section' | 'free' | 'data';
    readonly name: string;
    readonly load: null | number;
    readonly notes?: readonly string[];
  }[];
  readonly memory: readonly {
    readonly start: string;
    readonly end: string;
    readonly load: number;
    /** Of a PE image: the section. */
    readonly name?: string;
    readonly flags: string;
    readonly vaddr: string;
    readonly paddr: string;
    readonly offset: string;
    readonly filesz: string;
    readonly notes: readonly {
      readonly segment: number;
      readonly start: string;
      readonly end: string;
    }[];
    readonly entry: null | string;
  }[];
  /** --sizes: where the bytes go, the largest part first. The rows of sections, and those of segments, add up to the file. */
  readonly sizes?: {
    readonly sections: readonly {
      readonly name: string;
      /** Bytes of the file that are this part's alone. */
      readonly file: string;
      /** Bytes of memory; 0x0: it is not loaded. */
      readonly memory: string;
      readonly offset: null | string;
      readonly address: null | string;
    }[];
    readonly segments: readonly {
      readonly name: string;
      /** Bytes of the file that are this part's alone. */
      readonly file: string;
      /** Bytes of memory; 0x0: it is not loaded. */
      readonly memory: string;
      readonly offset: null | string;
      readonly address: null | string;
    }[];
    readonly owners: readonly {
      readonly owner: string;
      readonly notes: number;
      readonly size: string;
    }[];
  };
  /** The map of --compare. */
  readonly compare: null | {
    readonly file: string;
    /** A PE image: bands and memory are those of its sections. */
    readonly format?: 'pe';
    readonly size: string;
    readonly entry: string;
    readonly bands: readonly {
      readonly start: string;
      readonly end: string;
      readonly kind: 'header' | 'table' | 'notes' | 'load' | 'section' | 'free' | 'data';
      readonly name: string;
      readonly load: null | number;
      readonly notes?: readonly string[];
    }[];
    readonly memory: readonly {
      readonly start: string;
      readonly end: string;
      readonly load: number;
      /** Of a PE image: the section. */
      readonly name?: string;
      readonly flags: string;
      readonly vaddr: string;
      readonly paddr: string;
      readonly offset: string;
      readonly filesz: string;
      readonly notes: readonly {
        readonly segment: number;
        readonly start: string;
        readonly end: string;
      }[];
      readonly entry: null | string;
    }[];
    readonly sizes?: NonNullable<LayoutDocument['sizes']>;
  };
};

/** xen-elfpatch/linearize/1: What linearize --json prints: a layout and what became of it, or with --verify what the checks found. */
export type LinearizePart = LinearizeLayout | LinearizeVerdict;

/** A part of LinearizePart. */
export type LinearizeHex = ErrorHex;

/** A part of LinearizePart. */
export type LinearizeLayout = {
  readonly schema: 'xen-elfpatch/linearize/1';
  readonly file: string;
  /** Does the result differ from the input in any byte? */
  readonly changed: boolean;
  /** Null when nothing was to be written. */
  readonly written: null | {
    readonly output: string;
    readonly findings: LinearizeFindings;
  };
  readonly size: {
    readonly before: LinearizeHex;
    readonly after: LinearizeHex;
    /** Zeros that stand for addresses between sections. */
    readonly holes: LinearizeHex;
  };
  readonly headerSize: LinearizeHex;
  /** RVA minus file offset of every loaded section. */
  readonly distance: LinearizeHex;
  readonly fileAlignment: LinearizeHex;
  readonly sizeOfImage: LinearizeHex;
  readonly sections: readonly LinearizeSection[];
  readonly multiboot2: null | LinearizePlanned2;
  readonly multiboot1: null | {
    readonly offset: LinearizeHex;
    readonly flags: LinearizeHex;
  };
  readonly warnings: readonly string[];
};

/** A part of LinearizePart. */
export type LinearizeSection = {
  readonly name: string;
  /** Loaded by UEFI and Multiboot, zeroed by both, loaded by UEFI alone. */
  readonly role: 'image' | 'bss' | 'tail';
  readonly rva: LinearizeHex;
  readonly memorySize: LinearizeHex;
  readonly offset: LinearizeHex;
  readonly fileSize: LinearizeHex;
  readonly characteristics: LinearizeHex;
  /** The input's sections in it, where they were. */
  readonly members: readonly {
    readonly name: string;
    readonly offset: LinearizeHex;
    readonly fileSize: LinearizeHex;
  }[];
};

/** A part of LinearizePart. */
export type LinearizePlanned2 = {
  readonly how: 'update' | 'append' | 'gap';
  readonly offset: LinearizeHex;
  readonly headerAddr: LinearizeHex;
  readonly loadAddr: LinearizeHex;
  readonly loadEndAddr: LinearizeHex;
  readonly bssEndAddr: LinearizeHex;
  readonly entry: LinearizeHex;
  readonly entryFrom: string;
  readonly entryEfi64: null | LinearizeHex;
  /** The bytes that the tags were put over, as RVAs; null where none were needed. */
  readonly filler: null | {
    readonly start: LinearizeHex;
    readonly end: LinearizeHex;
    readonly byte: LinearizeHex;
    readonly symbols: number;
    readonly relocations: number;
  };
};

/** A part of LinearizePart. */
export type LinearizeVerdict = {
  readonly schema: 'xen-elfpatch/linearize/1';
  readonly file: string;
  readonly baseline: string | null;
  /** What the exit status says: true is 0, false is 1. */
  readonly linear: boolean;
  readonly findings: LinearizeFindings;
  readonly loaded: LinearizeNames;
  readonly bss: LinearizeNames;
  readonly tail: LinearizeNames;
  readonly multiboot2: null | {
    readonly [name: string]: null | LinearizeHex;
  };
  readonly multiboot1: null | {
    readonly offset: LinearizeHex;
    readonly flags: LinearizeHex;
    /** Does it have address fields? */
    readonly usable: boolean;
  };
};

/** A part of LinearizePart. */
export type LinearizeNames = readonly string[];

/** A part of LinearizePart. */
export type LinearizeFindings = readonly {
  readonly check: string;
  readonly level: 'error' | 'advice';
  readonly offset: null | LinearizeHex;
  readonly part: string | null;
  readonly text: string;
  readonly because: string;
}[];

/** xen-elfpatch/mkelf32/1: What mkelf32 --json prints. */
export type Mkelf32Document = {
  readonly schema: 'xen-elfpatch/mkelf32/1';
  readonly input: string;
  readonly output: string;
  /** A Xen release whose tool writes the same; null: --tidy. */
  readonly compat: string | null;
  readonly fileSize: Mkelf32Hex;
  readonly entry: Mkelf32Hex;
  readonly load: {
    readonly offset: Mkelf32Hex;
    readonly address: Mkelf32Hex;
    readonly fileSize: Mkelf32Hex;
    readonly memorySize: Mkelf32Hex;
  };
  /** The PT_NOTE of the result; null: none. Its address is a distance from the load segment up to Xen 4.22. */
  readonly notes: null | {
    readonly offset: Mkelf32Hex;
    readonly address: Mkelf32Hex;
    readonly size: Mkelf32Hex;
  };
  readonly warnings: readonly string[];
  /** What each loader makes of the result; null: it went to a pipe or a device. */
  readonly loaders:
    | readonly {
        readonly name: string;
        readonly accepts: boolean;
      }[]
    | null;
};

/** A part of Mkelf32Document. */
export type Mkelf32Hex = ErrorHex;

/** xen-elfpatch/mkelf32-variants/1: What mkelf32 --list-compat --json prints, oldest first. */
export type Mkelf32VariantsDocument = {
  readonly schema: 'xen-elfpatch/mkelf32-variants/1';
  readonly variants: readonly {
    /** What --compat takes. */
    readonly release: string;
    /** Every release that it stands for, in words. */
    readonly releases: string;
    readonly default: boolean;
    /** Words behind --notes. */
    readonly arguments: 3 | 4;
    readonly summary: string;
  }[];
};

/** xen-elfpatch/notes/1: What notes --json prints: one entry for each IMAGE, in the order of the command line. If no image at all can be read, an error document is printed instead. */
export type NotesDocument = {
  readonly schema: 'xen-elfpatch/notes/1';
  /** None where folders and archives hold none. */
  readonly images: readonly (NotesImage | NotesPe | NotesFailed)[];
  /** Files of folders and archives that are no images; absent where there are none. */
  readonly passedOver?: number;
};

/** A part of NotesDocument. */
export type NotesHex = ErrorHex;

/** A part of NotesDocument. */
export type NotesHexOrNull = null | NotesHex;

/** Two hexadecimal digits for each byte. */
export type NotesBytes = string;

/** A part of NotesDocument. */
export type NotesFailed = {
  readonly file: string;
  readonly error: ErrorProblem;
};

/** A PE image: it has no ELF notes. */
export type NotesPe = {
  readonly file: string;
  readonly format: 'pe';
  readonly machine: string;
  readonly buildId: null | NotesBytes;
  readonly multiboot2: null | {
    readonly offset: NotesHex;
    readonly tags: readonly string[];
    /** Is there an address tag, so that no ELF is wanted? */
    readonly loadable: boolean;
    /** Why the tags cannot be read to the end. */
    readonly problem: null | string;
    readonly headerAddr: NotesHexOrNull;
    readonly loadAddr: NotesHexOrNull;
    readonly loadEndAddr: NotesHexOrNull;
    readonly bssEndAddr: NotesHexOrNull;
    /** The 32-bit entry. */
    readonly entry: NotesHexOrNull;
    /** The entry with UEFI boot services. */
    readonly entryEfi64: NotesHexOrNull;
    readonly relocatable: null | {
      readonly min: NotesHex;
      readonly max: NotesHex;
      readonly align: NotesHex;
    };
  };
  readonly notes: readonly unknown[];
  /** Lines of section .sbat, up to the first that is wrong. */
  readonly sbat?:
    | null
    | readonly {
        readonly component: string;
        readonly generation: number;
        readonly line: string;
      }[];
  /** The JSON text of section .pkgnote. */
  readonly packageMetadata?: string | null;
  /** Bytes of section .sbom. */
  readonly sbomSize?: number | null;
};

/** A part of NotesDocument. */
export type NotesImage = {
  readonly file: string;
  readonly container?: ContainerPart;
  readonly class: 32 | 64;
  readonly endian: 'little' | 'big';
  /** EM_X86_64, or e_machine and its number. */
  readonly machine: string;
  /** ET_EXEC, or e_type and its number. */
  readonly type: string;
  /** What Xen's own parser finds. */
  readonly xen: {
    readonly from: 'segments' | 'sections' | 'legacy' | 'none';
    readonly notes: number;
    /** The complaint Xen would log; it loads the image all the same. */
    readonly broken?: string;
    /** Why Xen would refuse to load the image. */
    readonly refused?: string;
  };
  /** Ranges of the file that hold notes, by offset; outer ones before inner ones. */
  readonly areas: readonly NotesArea[];
  /** By file offset. */
  readonly notes: readonly NotesNote[];
  readonly legacy?: NotesLegacy;
};

/** A part of NotesDocument. */
export type NotesArea = {
  readonly offset: NotesHex;
  readonly size: NotesHex;
  /** Unit that its records are padded to. */
  readonly padding: 4 | 8;
  /** Program header indices. */
  readonly segments: readonly number[];
  readonly sections: readonly {
    readonly index: number;
    readonly name: string;
  }[];
  /** Where a PT_LOAD brings it; null when none does. */
  readonly memory: null | {
    readonly vaddr: NotesHex;
    readonly paddr: NotesHex;
  };
  /** Why its records could not be read to the end. */
  readonly problem?: string;
};

/** A part of NotesDocument. */
export type NotesVerdict = {
  readonly used: boolean;
  readonly rule:
    | 'used'
    | 'stored'
    | 'other-owner'
    | 'unknown-type'
    | 'overridden'
    | 'reads-otherwise'
    | 'unreadable'
    | 'segments-first'
    | 'not-reached'
    | 'notes-first';
  readonly text: string;
  readonly guests: readonly ('pv' | 'pvh' | 'dom0')[];
};

/** A part of NotesDocument. */
export type NotesNote = {
  readonly owner: string;
  readonly type: number;
  /** null: the type has no public name. */
  readonly name: string | null;
  readonly value: NotesValue;
  readonly offset: NotesHex;
  /** The whole record, paddings included. */
  readonly size: NotesHex;
  readonly descOffset: NotesHex;
  readonly descSize: NotesHex;
  /** Indices into areas; empty for a record that only Xen's loose walk finds. */
  readonly areas: readonly number[];
  readonly inMemory: boolean;
  readonly xen: NotesVerdict;
  /** With --raw. */
  readonly desc?: NotesBytes;
};

/** A part of NotesDocument. */
export type NotesValue =
  | {
      readonly kind?: 'number';
      readonly value: NotesHex;
      readonly width: 1 | 2 | 4 | 8;
    }
  | {
      readonly kind?: 'string';
      readonly text: string;
      /** Is there a NUL in the descriptor? */
      readonly terminated: boolean;
    }
  | {
      readonly kind?: 'list';
      readonly items: readonly NotesHex[];
      readonly width: 4 | 8;
    }
  | {
      readonly kind?: 'build-id';
      readonly id: NotesBytes;
    }
  | {
      readonly kind?: 'abi-tag';
      readonly os: string;
      readonly version: string;
    }
  | {
      readonly kind?: 'metadata';
      /** The JSON that the note holds. */
      readonly metadata: unknown;
    }
  | {
      readonly kind?: 'properties';
      readonly items: readonly {
        readonly type: number;
        readonly name: string | null;
        readonly data: NotesBytes;
      }[];
    }
  | {
      readonly kind?: 'raw';
      readonly bytes: NotesBytes;
    };

/** The string of the section __xen_guest. */
export type NotesLegacy = {
  readonly section: number;
  readonly offset: NotesHex;
  readonly text: string;
  /** As Xen takes the string apart. */
  readonly items: readonly {
    readonly key: string;
    readonly value: string;
  }[];
  readonly xen: NotesVerdict;
};

/** xen-elfpatch/patch/1: What patch --json prints, also with --dry-run and --check. */
export type PatchDocument = {
  readonly schema: 'xen-elfpatch/patch/1';
  readonly file: string;
  /** Does the plan change a byte of the image? */
  readonly changed: boolean;
  /** null: nothing was to be written (--dry-run, --check). */
  readonly written: null | {
    /** Where the result is; - is standard output. */
    readonly output: string;
    /** unchanged: nothing was to be done. direct: patched where it is. clone: written beside the target and renamed. */
    readonly how: 'unchanged' | 'direct' | 'clone';
    readonly secondReader: {
      readonly verdict: 'agrees' | 'cannot-read' | 'absent';
      readonly details: readonly string[];
    };
  };
  /** null: the notes are there already. */
  readonly placement:
    | null
    | 'in-place'
    | 'grow'
    | 'append'
    | 'extend'
    | 'move-table'
    | 'shift'
    | 'new-load'
    | 'new-table';
  /** What the placement does, in words. */
  readonly summary: string | null;
  /** How the section headers describe the notes. */
  readonly section: null | 'allocated' | 'plain' | 'none';
  /** Are the notes part of the memory image? */
  readonly loaded: boolean | null;
  /** The Xen notes of the result, in order. */
  readonly notes: readonly {
    readonly name: string;
    readonly type: number;
    readonly size: ErrorHex;
    /** For people. */
    readonly value: string;
    readonly bytes: string;
  }[];
  /** File range of the PT_NOTE that holds them. */
  readonly noteRange: null | {
    readonly start: ErrorHex;
    readonly end: ErrorHex;
  };
  readonly fileSize: ErrorHex;
  /** Bytes that differ, as ranges of the result. */
  readonly ranges: readonly {
    readonly offset: ErrorHex;
    readonly size: ErrorHex;
    readonly what: string;
  }[];
  /** Everything from there on stands that much later. */
  readonly shift: null | {
    readonly at: ErrorHex;
    readonly by: ErrorHex;
  };
  /** Placements that were tried first and do not work here. */
  readonly refused: readonly {
    readonly placement: string;
    readonly reason: string;
  }[];
  /** What later tools do to the notes. */
  readonly survives: readonly {
    readonly tool: string;
    readonly verdict: 'kept' | 'kept with a warning' | 'dropped' | 'broken' | 'unknown';
    readonly why: string;
    /** The versions of the tool that this was held against; of others it is not known. */
    readonly tried?: string;
  }[];
  /** What was looked through, and how the file was put together again. ranges and fileSize above are those of the ELF inside. */
  readonly container?: ContainerPart;
  readonly warnings: readonly string[];
};

/** xen-elfpatch/record/1: What --record writes, and the predicate of what --record-format in-toto writes. */
export type RecordDocument = {
  readonly schema: 'xen-elfpatch/record/1';
  readonly tool: {
    readonly name: 'xen-elfpatch';
    readonly version: string;
    /** Of the sources that the tool was built from, where known. */
    readonly commit: string | null;
  };
  readonly command: string;
  /** The words of the command line, as typed. */
  readonly arguments: readonly string[];
  readonly input: RecordFile;
  readonly output: RecordFile;
  readonly verdicts: {
    readonly before: RecordVerdicts;
    readonly after: RecordVerdicts;
  };
  /** What was decided: the members of the command's own document with --dry-run --json, but for its schema. */
  readonly edits: {
    readonly [name: string]: unknown;
  };
};

/** A part of RecordDocument. */
export type RecordFile = {
  /** As the command line names it. */
  readonly name: string;
  readonly sha256: string;
  readonly size: string;
};

/** A part of RecordDocument. */
export type RecordVerdicts = readonly {
  readonly loader: string;
  readonly version: string;
  readonly outcome: 'accepted' | 'with-warnings' | 'refused' | 'crash' | 'other-path' | 'undecided';
  readonly message: string | null;
}[];

/** xen-elfpatch/stamp/1: What stamp --json prints: the plan of an edit, of an ELF or of a PE image, or the stamps that are there. */
export type StampPart =
  | {
      readonly schema: 'xen-elfpatch/stamp/1';
      readonly file: NonNullable<PatchDocument['file']>;
      readonly changed: NonNullable<PatchDocument['changed']>;
      readonly written: NonNullable<PatchDocument['written']>;
      readonly placement: NonNullable<PatchDocument['placement']>;
      readonly summary: NonNullable<PatchDocument['summary']>;
      readonly section: NonNullable<PatchDocument['section']>;
      readonly loaded: NonNullable<PatchDocument['loaded']>;
      readonly notes: NonNullable<PatchDocument['notes']>;
      readonly noteRange: NonNullable<PatchDocument['noteRange']>;
      readonly fileSize: NonNullable<PatchDocument['fileSize']>;
      readonly ranges: NonNullable<PatchDocument['ranges']>;
      readonly shift: NonNullable<PatchDocument['shift']>;
      readonly refused: NonNullable<PatchDocument['refused']>;
      readonly survives: NonNullable<PatchDocument['survives']>;
      readonly container?: NonNullable<PatchDocument['container']>;
      readonly warnings: NonNullable<PatchDocument['warnings']>;
      /** Notes of other owners than Xen that the edit removes and writes. */
      readonly otherNotes: {
        readonly removed: readonly {
          readonly owner: string;
          readonly type: number;
          readonly size: string;
          readonly bytes: string;
        }[];
        readonly added: readonly {
          readonly owner: string;
          readonly type: number;
          readonly size: string;
          readonly bytes: string;
        }[];
      };
    }
  | {
      readonly schema: 'xen-elfpatch/stamp/1';
      readonly file: string;
      /** With --check: package metadata are there and keep to the convention. */
      readonly ok: boolean;
      readonly problems: readonly string[];
      readonly stamps: readonly {
        readonly owner: string;
        readonly type: number;
        readonly bytes: string;
        /** The JSON text of package metadata. */
        readonly text?: string;
        readonly problem?: string;
      }[];
    }
  | {
      readonly schema: 'xen-elfpatch/stamp/1';
      readonly file: string;
      readonly format: 'pe';
      readonly changed: boolean;
      readonly written: null | {
        readonly output: string;
        readonly findings: LinearizeFindings;
      };
      readonly size: {
        readonly before: string;
        readonly after: string;
      };
      readonly headersGrow: string;
      readonly signatureDropped: boolean;
      readonly sections: readonly {
        readonly name: string;
        readonly change: 'added' | 'changed';
        readonly rva: string;
        readonly memorySize: string;
        readonly offset: string;
        readonly fileSize: string;
      }[];
      readonly warnings: readonly string[];
    }
  | {
      readonly schema: 'xen-elfpatch/stamp/1';
      readonly file: string;
      readonly format: 'pe';
      readonly ok: boolean;
      readonly problems: readonly string[];
      readonly sbat: NonNullable<NotesPe['sbat']>;
      readonly packageMetadata: NonNullable<NotesPe['packageMetadata']>;
      readonly sbomSize: NonNullable<NotesPe['sbomSize']>;
    };

/** xen-elfpatch/verify/1: What verify --json prints. */
export type VerifyDocument = {
  readonly schema: 'xen-elfpatch/verify/1';
  readonly file: string;
  /** A PE image: there is no second reader. */
  readonly format?: 'pe';
  readonly container?: ContainerPart;
  /** With --baseline: the image before the edit. */
  readonly baseline?: string;
  /** What the exit status says: true is 0, false is 1. With --for the loaders that were named decide, else the structure. */
  readonly ok: boolean;
  readonly structure?: {
    /** How many laws were looked at. */
    readonly checks: number;
    readonly errors: number;
    readonly warnings: number;
    /** Errors first, then by offset. */
    readonly findings: readonly VerifyFinding[];
  };
  /** What elfy, a reader that shares no code with this one, says about headers and notes. */
  readonly secondReader?: {
    readonly verdict: 'agrees' | 'differs' | 'cannot-read' | 'absent';
    readonly details: readonly string[];
  };
  /** Instead of structure and secondReader: why the image cannot be read here. Loaders may be laxer. */
  readonly malformed?: {
    readonly id: string;
    readonly text: string;
    readonly hint?: string;
  };
  /** The release whose rules were taken for Xen's loaders. */
  readonly xenVersion: string;
  /** Bytes of memory of the machine or guest, where --memory says; absent: 4 GiB. */
  readonly memory?: ErrorHex;
  readonly loaders: readonly VerifyVerdict[];
};

/** A part of VerifyDocument. */
export type VerifyFinding = {
  /** Stable; xen-elfpatch explain NAME says more. */
  readonly check: string;
  readonly level: 'error' | 'warning';
  readonly file?: string;
  readonly offset?: ErrorHex;
  readonly part?: string;
  /** What was found, what was wanted. */
  readonly text: string;
  /** Who is hurt when the law is broken. */
  readonly because: string;
};

/** A part of VerifyDocument. */
export type VerifyOutcome = 'accepted' | 'with-warnings' | 'refused' | 'crash' | 'other-path' | 'undecided';

/** A part of VerifyDocument. */
export type VerifyVerdict = {
  /** The name by which it was asked for, else that of its row. */
  readonly loader: string;
  /** The program, as --for takes it; a name for several (linux-loader) gives a verdict for each. */
  readonly row?: string;
  /** The release of the loader's own program whose rules were taken. */
  readonly version?: string;
  /** The releases that say the same yes or no, where not all that are known do; told for loaders that were asked about. */
  readonly span?: string;
  /** How its rules are known: kernels were booted, the program judged images, or read in the source and untried. */
  readonly evidence?: 'booted' | 'asked' | 'read';
  readonly title: string;
  /** Would it start the image? */
  readonly accepts: boolean;
  readonly outcome: VerifyOutcome;
  /** The rule that decided, unless the image was accepted. */
  readonly rule?: string;
  /** What the loader prints. */
  readonly message?: string;
  /** What it keeps to itself. */
  readonly reason?: string;
  /** A command line that mends it; it was tried on this image. */
  readonly cure?: string;
  /** Where no edit is known that mends it: what is in the way, or what only its builder can tell. */
  readonly advice?: string;
  /** The least memory, in bytes, of the machine or guest with which it loads; absent where that is not known, or where memory does not help. */
  readonly needsMemory?: ErrorHex;
  readonly warnings: readonly {
    readonly rule: string;
    readonly text: string;
    readonly cure?: string;
  }[];
  /** Empty: each program is a loader of its own. */
  readonly programs: readonly {
    readonly program: string;
    readonly outcome: 'accepted' | 'refused' | 'other-path';
    readonly text: string;
  }[];
  /** What an accepting loader goes by; addresses in hexadecimal. */
  readonly values: {
    readonly [name: string]: string | number | boolean | readonly string[];
  };
  /** In the loader's own order. */
  readonly rules: readonly {
    readonly name: string;
    readonly result: 'passed' | 'warned' | 'refused' | 'crash' | 'other-path' | 'not-reached';
    readonly because: string;
    /** Which releases have the rule; missing: all. */
    readonly holds?: string;
    /** File and function of the loader. */
    readonly source: string;
  }[];
};
