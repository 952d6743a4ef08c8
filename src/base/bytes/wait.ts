/** Sleeps two milliseconds, without the event loop: for a pipe that is full, or a file that is being written just now. */
export function waitABit(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2);
}
