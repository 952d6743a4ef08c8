/** What the command prints, kept instead: how a test mocks src/cli/output.js, whose functions write at once. */

let out = '';
let err = '';

/** What was printed since the last time this was asked. */
export function takeOutput(): { readonly stdout: string; readonly stderr: string } {
  const taken = { stdout: out, stderr: err };
  [out, err] = ['', ''];
  return taken;
}

/** The module as it is, but for the functions that write. */
export function captured<Module extends object>(original: Module): Module {
  const put = (text: string | Uint8Array) => {
    out += typeof text === 'string' ? text : Buffer.from(text).toString('latin1');
  };
  const putErr = (text: string) => {
    err += text;
  };
  return {
    ...original,
    writeOut: put,
    writePieces: (pieces: Iterable<string>) => put([...pieces].join('')),
    sendOut: put,
    tellWritten: (_output: string, text: string) => put(text),
    writeErr: putErr,
    sayErr: (line: string) => putErr(`${line}\n`),
    sayLead: (lead: string, _kind: string, line: string) => putErr(`${lead} ${line}\n`),
    driveErr: () => undefined,
  };
}
