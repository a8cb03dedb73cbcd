// Owns the files that the build adds for the binary: each file compressed with gzip, and embedded.rs,
// the list that src/assets includes.

import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { extname, join } from 'node:path';
// gzip in WebAssembly, so that every machine makes the same bytes: the output of node's zlib depends on
// its version and on the processor. Zopfli's files are 3 % smaller than those of zlib's best level.
import { gzipAsync } from '@gfx/zopfli';
import type { Plugin } from 'vite';

const MEDIA_TYPES: Record<string, string> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};

export function embed(): Plugin {
  let folder = '';
  return {
    name: 'embed',
    apply: 'build',
    configResolved(config) {
      folder = join(config.root, config.build.outDir);
    },
    async closeBundle() {
      const files = readdirSync(folder, { recursive: true, withFileTypes: true })
        .filter(entry => entry.isFile())
        .map(entry => join(entry.parentPath, entry.name).slice(folder.length + 1).replaceAll('\\', '/'))
        .sort();
      const assets = await Promise.all(files.map(file => asset(folder, file)));
      writeFileSync(join(folder, 'embedded.rs'), `[\n${assets.join('')}]\n`);
    },
  };
}

// Writes the compressed file, and returns its entry for embedded.rs.
async function asset(folder: string, file: string): Promise<string> {
  const mediaType = MEDIA_TYPES[extname(file)];
  if (!mediaType) throw new Error(`embed: no media type for ${file}`);
  const bytes = readFileSync(join(folder, file));
  writeFileSync(join(folder, `${file}.gz`), await compressed(bytes));
  return `    Asset {
        path: "/${file}",
        media_type: "${mediaType}",
        hashed: ${file.startsWith('assets/')},
        gzip: include_bytes!("${file}.gz"),
        size: ${bytes.length},
    },
`;
}

// The header has no name and no time, and an unknown operating system (RFC 1952 section 2.3).
async function compressed(bytes: Uint8Array): Promise<Uint8Array> {
  const packed = await gzipAsync(bytes, { numiterations: 15 });
  packed.fill(0, 4, 8);
  packed[9] = 255;
  return packed;
}
