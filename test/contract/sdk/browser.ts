import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { rolldown } from 'rolldown';
import { launchChromium } from '../../support/chromium.ts';

const root = join(import.meta.dirname, '..', '..', '..');

/** A browser, and a site of another origin than the collector's. */
export interface Site {
  /** Opens a page of this content as somebody who was never here; `hosts` fills with whom it asks. @param hash of its address */
  visit(html: string, hash?: string): Promise<{ readonly page: Page; readonly hosts: ReadonlySet<string> }>;
  close(): Promise<void>;
}

export async function startSite(): Promise<Site> {
  const browser = await launchChromium();
  // As somebody would have it who looks at what it shows: else it calls itself HeadlessChrome, and is a robot.
  const userAgent = `Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/${browser.version().split('.')[0]}.0.0.0 Safari/537.36`;
  const pages: string[] = [];
  const server = createServer(({ url = '/' }, response) => {
    const html = pages[Number(url.slice(1) || -1)];
    response.writeHead(html === undefined ? 404 : 200, { 'content-type': 'text/html; charset=utf-8' }).end(html);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    async visit(html, hash = '') {
      const number = pages.push(`<!doctype html><title>A page</title><link rel="icon" href="data:,">${html}`) - 1;
      const context = await browser.newContext({ userAgent });
      context.setDefaultTimeout(120_000);
      const hosts = new Set<string>();
      context.on('request', (request) => {
        if (request.url().startsWith('http')) hosts.add(new URL(request.url()).host);
      });
      const page = await context.newPage();
      await page.goto(`http://localhost:${port}/${number}#${hash}`);
      hosts.delete(`localhost:${port}`);
      return { page, hosts };
    },
    async close() {
      await browser.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** A page that runs a module, with the packages that it imports, as a bundler makes it. */
export async function bundled(module: string): Promise<string> {
  const entry = '\0module';
  const bundle = await rolldown({
    input: entry,
    platform: 'browser',
    plugins: [
      {
        name: 'module',
        resolveId(id, importer) {
          if (id === entry) return id;
          // As if the module were in the project's folder.
          return importer === entry ? this.resolve(id, join(root, 'module.mjs')) : undefined;
        },
        load: (id) => (id === entry ? module : undefined),
      },
    ],
  });
  const { output } = await bundle.generate({ format: 'es', codeSplitting: false });
  await bundle.close();
  return `<script type="module">${output[0].code.replaceAll('</script', '<\\/script')}</script>`;
}
