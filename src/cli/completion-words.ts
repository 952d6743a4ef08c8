/** Words that complete values and stand in modules which nothing but completing needs at once. */

/** Names of Xen's notes. */
export async function noteNames(): Promise<string[]> {
  const { XEN_NOTES } = await import('../formats/note/xen-notes.js');
  return XEN_NOTES.map(({ name }) => name);
}

/** Names of Xen's notes with a `=` behind each, for what NAME=VALUE begins with. */
export async function noteSettings(): Promise<string[]> {
  return (await noteNames()).map((name) => `${name}=`);
}

/** Everything that `explain` explains. */
export async function topics(): Promise<readonly string[]> {
  const { topicNames } = await import('../explain/index.js');
  return topicNames();
}
