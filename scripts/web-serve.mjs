// dist/web on loopback, for trying: node scripts/web-serve.mjs [PORT]. Ends with the terminal's interrupt.
import { createReadStream, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';

const ROOT = 'dist/web';
const TYPES = { '.html': 'text/html; charset=utf-8', '.css': 'text/css', '.js': 'text/javascript' };

const server = createServer(({ url = '/' }, response) => {
  const path = normalize(decodeURIComponent(new URL(url, 'http://localhost').pathname));
  const file = join(ROOT, path.endsWith('/') ? `${path}index.html` : path);
  // normalize() leaves no way up in an absolute path.
  if (!statSync(file, { throwIfNoEntry: false })?.isFile()) {
    response.writeHead(404).end('not found\n');
    return;
  }
  const type = TYPES[extname(file)] ?? 'application/octet-stream';
  response.writeHead(200, { 'content-type': type, 'x-content-type-options': 'nosniff', 'cache-control': 'no-cache' });
  createReadStream(file).pipe(response);
});
server.listen(Number(process.argv[2] ?? 8321), '127.0.0.1', () => {
  console.log(`http://127.0.0.1:${server.address().port}/`);
});
